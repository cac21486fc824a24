import type { CreateApiKeyRequest, SignInRequest, SignUpRequest, UpdateMeRequest } from '@kantor/contract/api'
import { kantor } from './client.ts'

export const signUp = (body: SignUpRequest) => kantor.post('/auth/sign-up', { body })
export const signIn = (body: SignInRequest) => kantor.post('/auth/sign-in', { body })
export const signOut = () => kantor.post('/auth/sign-out')
export const getMe = () => kantor.get('/me')
export const updateMe = (body: UpdateMeRequest) => kantor.patch('/me', { body })
export const listSessions = () => kantor.get('/auth/sessions')
export const revokeSession = (id: string) => kantor.delete('/auth/sessions/{id}', { path: { id } })
export const listApiKeys = () => kantor.get('/me/api-keys')
export const createApiKey = (body: CreateApiKeyRequest) => kantor.post('/me/api-keys', { body })
export const revokeApiKey = (id: string) => kantor.delete('/me/api-keys/{id}', { path: { id } })
