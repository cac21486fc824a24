import { hash } from 'node:crypto'

/** What a block's hash covers. */
export interface BlockHeader {
  height: bigint
  previousHash: Buffer
  journalsRoot: Buffer
  journalCount: number
  sealedAtMicros: bigint
}

const BLOCK_TAG = Buffer.from('kantor.block.v1')
/** What the first block follows; the migration computes the same. */
export const GENESIS_HASH: Buffer = hash('sha256', 'kantor.genesis.v1', 'buffer')

const NODE_PREFIX = 0x01

export function hashBlock(header: BlockHeader): Buffer {
  const bytes = Buffer.alloc(BLOCK_TAG.length + 8 + 32 + 32 + 4 + 8)
  let at = BLOCK_TAG.copy(bytes)
  at = bytes.writeBigInt64BE(header.height, at)
  at += header.previousHash.copy(bytes, at, 0, 32)
  at += header.journalsRoot.copy(bytes, at, 0, 32)
  at = bytes.writeUInt32BE(header.journalCount, at)
  bytes.writeBigInt64BE(header.sealedAtMicros, at)
  return hash('sha256', bytes, 'buffer')
}

const nodeScratch = Buffer.alloc(65, NODE_PREFIX)

function hashNode(left: Buffer, right: Buffer): Buffer {
  left.copy(nodeScratch, 1)
  right.copy(nodeScratch, 33)
  return hash('sha256', nodeScratch, 'buffer')
}

/** The level above; a node without a neighbour moves up as it is, which is RFC 6962's tree built from below. */
function parentsOf(level: Buffer[]): Buffer[] {
  const parents: Buffer[] = []
  for (let index = 0; index < level.length; index += 2) {
    const left = at(level, index)
    const right = level[index + 1]
    parents.push(right === undefined ? left : hashNode(left, right))
  }
  return parents
}

/** Merkle tree hash of RFC 6962 §2.1 over leaf hashes, of which there is at least one. */
export function merkleRoot(leaves: Buffer[]): Buffer {
  let level = leaves
  while (level.length > 1) level = parentsOf(level)
  return at(level, 0)
}

/** The hashes that lead from one leaf to the root (RFC 6962 §2.1.1), from below. */
export function inclusionPath(leaves: Buffer[], index: number): Buffer[] {
  const path: Buffer[] = []
  let level = leaves
  for (let position = index; level.length > 1; position >>>= 1) {
    const neighbour = level[position ^ 1]
    if (neighbour !== undefined) path.push(neighbour)
    level = parentsOf(level)
  }
  return path
}

/** The root that this path leads to, or null when it cannot belong to this index in a tree of this size. */
export function rootOfPath(leaf: Buffer, index: number, leafCount: number, path: Buffer[]): Buffer | null {
  if (!Number.isInteger(index) || index < 0 || index >= leafCount) return null
  let node = leaf
  let used = 0
  let position = index
  for (let width = leafCount; width > 1; width = (width + 1) >>> 1) {
    if ((position ^ 1) < width) {
      const neighbour = path[used]
      if (neighbour === undefined || neighbour.length !== 32) return null
      used += 1
      node = position % 2 === 0 ? hashNode(node, neighbour) : hashNode(neighbour, node)
    }
    position >>>= 1
  }
  return used === path.length ? node : null
}

function at(level: Buffer[], index: number): Buffer {
  const node = level[index]
  if (node === undefined) throw new RangeError('a Merkle tree needs at least one leaf')
  return node
}
