import { errors } from './errors.ts'
import { identity } from './identity.ts'
import { interfaceWords } from './interface.ts'
import { money } from './money.ts'
import { trading } from './trading.ts'

export const pl = { ...interfaceWords, ...identity, ...money, ...trading, errors }
