import { hash } from 'node:crypto'
import type { Queryable } from '#db'
import { encodeJournal } from './canonical.ts'
import { hashBlock, inclusionPath, rootOfPath, type BlockHeader } from './chain.ts'
import { heightOf, positionOf, seqOf } from './journal-id.ts'
import {
  BLOCK_COLUMNS,
  canonicalOf,
  leafOfSealed,
  sealedJournals,
  type SealedBlockRow,
} from './sealed-journals.ts'

/** Enough to show that one journal is in a block, without showing the block's other journals. */
export interface JournalProof {
  /** The journal's canonical bytes. */
  journal: Buffer
  position: number
  /** From below. */
  path: Buffer[]
  block: BlockHeader
  blockHash: Buffer
}

/** Null when there is no such journal. */
export async function proveJournal(q: Queryable, seq: bigint): Promise<JournalProof | null> {
  const height = heightOf(seq)
  const { rows } = await q.query<SealedBlockRow>(
    `select ${BLOCK_COLUMNS} from ledger.blocks where height = $1`,
    [height],
  )
  const [row] = rows
  const journals = await sealedJournals(q, seqOf(height, 0), seqOf(height + 1n, 0))
  const position = positionOf(seq)
  const journal = journals[position]
  if (row === undefined || journal === undefined) return null
  const { hash: blockHash, ...block } = row
  const path = inclusionPath(journals.map(leafOfSealed), position)
  return { journal: encodeJournal(canonicalOf(journal)), position, path, block, blockHash }
}

/** Whether the journal leads to the block's root, and the block to its hash. Needs no database. */
export function checkProof({ journal, position, path, block, blockHash }: JournalProof): boolean {
  const leaf = hash('sha256', Buffer.concat([Buffer.of(0), journal]), 'buffer')
  const root = rootOfPath(leaf, position, block.journalCount, path)
  return root !== null && root.equals(block.journalsRoot) && hashBlock(block).equals(blockHash)
}
