import { admin } from './admin.ts'
import { errors } from './errors.ts'
import { identity } from './identity.ts'
import { interfaceWords } from './interface.ts'
import { money } from './money.ts'
import { notifications } from './notifications.ts'
import { rules } from './rules.ts'
import { trading } from './trading.ts'

export const pl = {
  ...interfaceWords,
  ...identity,
  ...money,
  ...trading,
  ...rules,
  ...admin,
  ...notifications,
  errors,
}
