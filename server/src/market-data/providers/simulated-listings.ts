/** One simulated stock: real names at about their levels of late 2026, moving on their own. */
export interface SimulatedListing {
  readonly ticker: string
  readonly name: string
  readonly mic: 'XNAS' | 'XNYS' | 'ARCX'
  readonly type: 'stock' | 'etf' | 'adr'
  /** USD for a share at `LEVELS_AT`. */
  readonly level: number
  /** Standard deviation of a year's change in logarithm, own part and part that follows the market. */
  readonly own: number
  readonly market: number
  /** A year's dividends as a part of the level; 0 for none. */
  readonly dividendYield: number
  /** Shares a day, about. */
  readonly volume: number
}

/** Where the levels below hold, but for the walk: earlier prices are before later splits. */
export const LEVELS_AT = Date.UTC(2026, 10, 1)
/** All are listed on that day; nothing is older. */
export const LISTED_ON = '2015-01-02'

type Line = readonly [
  ticker: string,
  name: string,
  mic: SimulatedListing['mic'],
  level: number,
  own: number,
  market: number,
  dividendYield: number,
  millions: number,
  type?: SimulatedListing['type'],
]

const LINES: readonly Line[] = [
  ['AAPL', 'Apple Inc.', 'XNAS', 268.4, 0.16, 0.17, 0.004, 52],
  ['MSFT', 'Microsoft Corporation', 'XNAS', 517.8, 0.14, 0.16, 0.007, 21],
  ['GOOGL', 'Alphabet Inc. Class A', 'XNAS', 281.2, 0.19, 0.17, 0.003, 30],
  ['AMZN', 'Amazon.com, Inc.', 'XNAS', 244.2, 0.2, 0.19, 0, 45],
  ['NVDA', 'NVIDIA Corporation', 'XNAS', 202.5, 0.35, 0.28, 0.0003, 180],
  ['META', 'Meta Platforms, Inc.', 'XNAS', 648.3, 0.25, 0.2, 0.003, 14],
  ['TSLA', 'Tesla, Inc.', 'XNAS', 456.6, 0.45, 0.28, 0, 85],
  ['AVGO', 'Broadcom Inc.', 'XNAS', 369.6, 0.3, 0.25, 0.007, 22],
  ['COST', 'Costco Wholesale Corporation', 'XNAS', 911.4, 0.14, 0.12, 0.005, 2],
  ['NFLX', 'Netflix, Inc.', 'XNAS', 1118.9, 0.28, 0.16, 0, 4],
  ['AMD', 'Advanced Micro Devices, Inc.', 'XNAS', 256.1, 0.36, 0.28, 0, 48],
  ['INTC', 'Intel Corporation', 'XNAS', 39.99, 0.35, 0.22, 0, 95],
  ['CSCO', 'Cisco Systems, Inc.', 'XNAS', 73.1, 0.13, 0.13, 0.022, 19],
  ['PEP', 'PepsiCo, Inc.', 'XNAS', 146.1, 0.12, 0.08, 0.038, 7],
  ['ADBE', 'Adobe Inc.', 'XNAS', 340.3, 0.24, 0.18, 0, 4],
  ['QCOM', 'QUALCOMM Incorporated', 'XNAS', 180.9, 0.24, 0.22, 0.02, 9],
  ['SBUX', 'Starbucks Corporation', 'XNAS', 80.9, 0.2, 0.14, 0.03, 10],
  ['PYPL', 'PayPal Holdings, Inc.', 'XNAS', 69.3, 0.28, 0.2, 0.008, 13],
  ['JPM', 'JPMorgan Chase & Co.', 'XNYS', 311.1, 0.14, 0.17, 0.019, 9],
  ['V', 'Visa Inc.', 'XNYS', 340.7, 0.11, 0.14, 0.008, 6],
  ['MA', 'Mastercard Incorporated', 'XNYS', 552.0, 0.12, 0.14, 0.006, 3],
  ['WMT', 'Walmart Inc.', 'XNYS', 101.2, 0.13, 0.1, 0.009, 16],
  ['JNJ', 'Johnson & Johnson', 'XNYS', 188.9, 0.1, 0.07, 0.028, 8],
  ['PG', 'The Procter & Gamble Company', 'XNYS', 150.4, 0.1, 0.07, 0.028, 8],
  ['KO', 'The Coca-Cola Company', 'XNYS', 68.9, 0.09, 0.07, 0.03, 16],
  ['DIS', 'The Walt Disney Company', 'XNYS', 112.6, 0.2, 0.16, 0.009, 9],
  ['XOM', 'Exxon Mobil Corporation', 'XNYS', 114.4, 0.17, 0.12, 0.035, 15],
  ['CVX', 'Chevron Corporation', 'XNYS', 157.7, 0.17, 0.12, 0.043, 8],
  ['BAC', 'Bank of America Corporation', 'XNYS', 53.5, 0.16, 0.18, 0.021, 36],
  ['HD', 'The Home Depot, Inc.', 'XNYS', 379.6, 0.15, 0.15, 0.024, 4],
  ['MCD', "McDonald's Corporation", 'XNYS', 298.4, 0.11, 0.08, 0.025, 4],
  ['NKE', 'NIKE, Inc.', 'XNYS', 64.6, 0.24, 0.16, 0.025, 14],
  ['PFE', 'Pfizer Inc.', 'XNYS', 24.7, 0.18, 0.09, 0.07, 45],
  ['BA', 'The Boeing Company', 'XNYS', 201.0, 0.28, 0.18, 0, 8],
  ['CAT', 'Caterpillar Inc.', 'XNYS', 577.3, 0.2, 0.18, 0.01, 4],
  ['BRK.B', 'Berkshire Hathaway Inc. Class B', 'XNYS', 477.5, 0.08, 0.11, 0, 5],
  ['TSM', 'Taiwan Semiconductor Manufacturing Company', 'XNYS', 300.4, 0.24, 0.22, 0.01, 13, 'adr'],
  ['SAP', 'SAP SE', 'XNYS', 260.3, 0.17, 0.17, 0.009, 1, 'adr'],
  ['SPY', 'SPDR S&P 500 ETF Trust', 'ARCX', 682.1, 0.01, 0.155, 0.011, 75, 'etf'],
  ['QQQ', 'Invesco QQQ Trust', 'XNAS', 629.1, 0.04, 0.19, 0.005, 55, 'etf'],
]

export const simulatedListings: readonly SimulatedListing[] = LINES.map(
  ([ticker, name, mic, level, own, market, dividendYield, millions, type]) => ({
    ticker,
    name,
    mic,
    type: type ?? 'stock',
    level,
    own,
    market,
    dividendYield,
    volume: millions * 1_000_000,
  }),
)
