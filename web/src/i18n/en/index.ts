import { admin } from './admin.ts'
import { errors } from './errors.ts'
import { identity } from './identity.ts'
import { interfaceWords } from './interface.ts'
import { money } from './money.ts'
import { notifications } from './notifications.ts'
import { rules } from './rules.ts'
import { trading } from './trading.ts'

/** English, which says what there is to say: Polish must have exactly the same paths (see the test). */
export const en = {
  ...interfaceWords,
  ...identity,
  ...money,
  ...trading,
  ...rules,
  ...admin,
  ...notifications,
  errors,
}
