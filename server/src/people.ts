import type { Database } from '#db'
import type { People } from '#history'
import { customersByNumbers, findCustomerByHandleOrEmail, maskName } from '#identity'

/** Who people are, for rooms that know wallets only. */
export function peopleOf(db: Database): People {
  return {
    byWalletIds: async (walletIds) => {
      const customers = await customersByNumbers(db, walletIds)
      return new Map(
        [...customers].map(([number, { handle, name }]) => [number, { handle, name: maskName(name) }]),
      )
    },
    walletOfHandle: async (handle) => (await findCustomerByHandleOrEmail(db, handle))?.number ?? null,
  }
}
