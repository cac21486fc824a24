export { safeNext } from './safe-next.ts'
export { becomeMe, currentMe, endSession, whoIsIn } from './session.ts'
