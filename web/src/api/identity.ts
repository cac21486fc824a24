import type {
  ApiKey,
  CreateApiKeyRequest,
  CreatedApiKey,
  Me,
  Session,
  SignInRequest,
  SignUpRequest,
  UpdateMeRequest,
} from '@kantor/contract/api'
import { call } from './client.ts'

export const signUp = (body: SignUpRequest) => call<Me>('POST', '/auth/sign-up', { body })
export const signIn = (body: SignInRequest) => call<Me>('POST', '/auth/sign-in', { body })
export const signOut = () => call<void>('POST', '/auth/sign-out')
export const getMe = () => call<Me>('GET', '/me')
export const updateMe = (body: UpdateMeRequest) => call<Me>('PATCH', '/me', { body })
export const listSessions = () => call<{ items: Session[] }>('GET', '/auth/sessions')
export const revokeSession = (id: string) => call<void>('DELETE', `/auth/sessions/${id}`)
export const listApiKeys = () => call<{ items: ApiKey[] }>('GET', '/me/api-keys')
export const createApiKey = (body: CreateApiKeyRequest) =>
  call<CreatedApiKey>('POST', '/me/api-keys', { body })
export const revokeApiKey = (id: string) => call<void>('DELETE', `/me/api-keys/${id}`)
