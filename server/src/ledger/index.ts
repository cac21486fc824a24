/** The ledger's door: the only room that writes balances. See README.md. */
export {
  accountId,
  accountParts,
  assetIdOf,
  CUSTOMER_WALLET_ID_MIN,
  HOUSE_WALLET_ID,
  PURPOSE,
  walletIdOf,
} from './account-id.ts'
export type { AccountParts } from './account-id.ts'
export { assetsByIds, declareAssets, freezeAsset, frozenAssetCodes } from './assets.ts'
export { balancesBefore, blocksAfter, journalSeqsAfter, lastEntries } from './follow-reads.ts'
export type { BlockSize, LastEntry } from './follow-reads.ts'
export { mirrorOf } from './decide.ts'
export { heightOf, journalId, lastSeqOf, parseJournalId, positionOf } from './journal-id.ts'
export type { JournalIdParts } from './journal-id.ts'
export { movedAmounts } from './moved-amounts.ts'
export { EXPORT_FORMATS } from './export-formats.ts'
export type { ExportFormat } from './export-formats.ts'
export { exportLedger, runExport } from './export.ts'
export type { ExportReport, ExportRequest } from './export.ts'
export { openLedger } from './ledger.ts'
export type { Ledger, LedgerOptions, LockedAccounts } from './ledger.ts'
export {
  balanceAt,
  balanceOf,
  balances,
  headOf,
  journal,
  journalsBySeq,
  journalSeqsOfWallet,
  journalsOfBlocks,
} from './reads.ts'
export type { Balance, ChainHead } from './reads.ts'
export { checkProof, proveJournal } from './prove-journal.ts'
export type { JournalProof } from './prove-journal.ts'
export { runVerify, verifyLedger } from './verify.ts'
export type { LedgerBreak, VerifyProgress, VerifyReport, VerifyRequest } from './verify.ts'
export { JOURNAL_KINDS, LedgerBusy } from './types.ts'
export type {
  Asset,
  AssetKind,
  JournalKind,
  JournalRef,
  JsonValue,
  PostCommand,
  Posting,
  RefusalDetail,
  RefusalReason,
  Verdict,
} from './types.ts'
