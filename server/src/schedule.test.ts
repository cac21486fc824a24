import { expect, test } from 'vitest'
import { runningApp } from '#test/running-app'

const { jobs, database } = await runningApp()

test('every job that the operator is promised is there, on a schedule of its own', async () => {
  const statuses = await jobs.statuses(database.db, new Date())
  const scheduled = statuses.filter(({ schedule }) => schedule !== null).map(({ job }) => job)
  expect(scheduled.toSorted()).toMatchInlineSnapshot(`
    [
      "ingest-candles",
      "poll-rates",
      "poll-stock-prices",
      "post-corporate-actions",
      "record-worth",
      "refresh-stock-reference",
      "sweep-identity",
      "sweep-jobs",
      "sweep-notifications",
      "sweep-quotes",
      "thin-out-rates",
      "thin-out-stocks",
      "verify-ledger",
    ]
  `)
})
