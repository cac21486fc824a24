import { kantor } from './client.ts'

export const listJobs = () => kantor.get('/admin/jobs')
export const listFailedJobs = () => kantor.get('/admin/jobs/failed')
export const retryJob = (id: string) => kantor.post('/admin/jobs/failed/{id}/retry', { path: { id } })
export const runJob = (name: string) => kantor.post('/admin/jobs/{name}/run', { path: { name } })
export const getProviders = () => kantor.get('/admin/providers')
export const getExposure = () => kantor.get('/admin/exposure')
export const getEventsStatus = () => kantor.get('/admin/events')
export const listDeadLetters = () => kantor.get('/admin/events/dead-letters')
export const replayDeadLetter = (id: string) =>
  kantor.post('/admin/events/dead-letters/{id}/replay', { path: { id } })
export const replayDeadLettersOf = (name: string) =>
  kantor.post('/admin/events/consumers/{name}/replay', { path: { name } })
export const discardDeadLetter = (id: string) =>
  kantor.delete('/admin/events/dead-letters/{id}', { path: { id } })
