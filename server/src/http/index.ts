export { mountHealth } from './health.ts'
export type { HealthOptions } from './health.ts'
export { API_PREFIX, authorize } from './mount.ts'
export type { Asking, Authenticate, Credentials } from './mount.ts'
export { mountApiDocs } from './api-docs.ts'
export { openApiDocument } from './openapi.ts'
export { eventFrame } from './event-stream.ts'
export type { EventStream, StreamEnd } from './event-stream.ts'
export { route, streamRoute } from './route.ts'
export type {
  Access,
  ClientInfo,
  Principal,
  Route,
  RouteReply,
  RouteRequest,
  StreamRequest,
} from './route.ts'
export { createHttpServer } from './server.ts'
export type { HttpServerOptions } from './server.ts'
export { serveWebApp } from './web-app.ts'
