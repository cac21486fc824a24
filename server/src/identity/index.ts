export { recordAct } from './audit.ts'
export { createAuthenticator } from './authenticate.ts'
export { createBatchLookup } from './batch-lookup.ts'
export type { AuthenticatorDeps } from './authenticate.ts'
export { sessionHolds } from './credentials.ts'
export { createGate } from './gate.ts'
export type { Gate } from './gate.ts'
export {
  contactOf,
  customerNameAt,
  customersByNumbers,
  findCustomerByHandleOrEmail,
} from './find-customer.ts'
export type { Contact, PublicCustomer } from './find-customer.ts'
export { createIdentity } from './identity.ts'
export { maskName } from './mask-name.ts'
export { createPasswordHasher } from './password-hasher.ts'
export type { PasswordHasher } from './password-hasher.ts'
export type { Identity, IdentityConfig, IdentityDeps, NewDeviceSignIn, SignedUpCustomer } from './types.ts'
export { changeRole, listStaff } from './staff.ts'
