import { errors } from './errors.ts'
import { identity } from './identity.ts'
import { interfaceWords } from './interface.ts'
import { money } from './money.ts'

export const pl = { ...interfaceWords, ...identity, ...money, errors }
