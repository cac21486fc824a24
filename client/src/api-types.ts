import type { components, paths } from './generated/openapi.ts'

// What a call takes and gives, read off the OpenAPI document's types. Paths are written as in the API page, below
// `/api/v1`: `/operations/{id}`.

type Prefixed = '/api/v1'
type ApiPaths = { [Path in keyof paths as Path extends `${Prefixed}${infer Own}` ? Own : never]: paths[Path] }

export type Method = 'get' | 'post' | 'patch' | 'delete'

/** The paths that answer this method; the stream has a method of its own. */
export type PathsOf<M extends Method> = {
  [Path in Exclude<keyof ApiPaths, '/stream'>]: ApiPaths[Path][M & keyof ApiPaths[Path]] extends {
    responses: unknown
  }
    ? Path
    : never
}[Exclude<keyof ApiPaths, '/stream'>]

export type Operation<Path extends keyof ApiPaths, M extends Method> = ApiPaths[Path][M &
  keyof ApiPaths[Path]]

/** What may be left out may be given as undefined too, which JSON leaves out. */
type Droppable<Body> = Body extends readonly unknown[]
  ? Body
  : Body extends object
    ? {
        [Name in keyof Body]: Record<never, never> extends Pick<Body, Name>
          ? Droppable<Body[Name]> | undefined
          : Droppable<Body[Name]>
      }
    : Body

/** The same of filters, whose whole numbers may be given as numbers. */
type Lenient<Query> = Droppable<{
  [Name in keyof Query]: Query[Name] | (string extends Query[Name] ? number : never)
}>

type PathPart<Op> = Op extends { parameters: { path: infer Values } } ? { readonly path: Values } : unknown

type QueryPart<Op> = Op extends { parameters: { query: infer Values } }
  ? { readonly query: Lenient<Values> }
  : Op extends { parameters: { query?: infer Values } }
    ? [Values] extends [undefined]
      ? unknown
      : { readonly query?: Lenient<NonNullable<Values>> | undefined }
    : unknown

type BodyPart<Op> = Op extends { requestBody: { content: { 'application/json': infer Body } } }
  ? { readonly body: Droppable<Body> }
  : unknown

/** True for requests that move value: they carry an idempotency key, and may be repeated with it. */
type IsKeyed<Op> = Op extends { parameters: { header: { 'Idempotency-Key': string } } } ? true : false

type KeyPart<Op> =
  IsKeyed<Op> extends true
    ? {
        /** Your own name for what is wanted once; made for the call where absent, and the same in its retries. */
        readonly idempotencyKey?: string
      }
    : unknown

export type Options<Op> = PathPart<Op> &
  QueryPart<Op> &
  BodyPart<Op> &
  KeyPart<Op> & {
    readonly signal?: AbortSignal
  }

/** The options may be left out where none of them is required. */
export type OptionsOf<Op> =
  Record<never, never> extends Options<Op> ? [options?: Options<Op>] : [options: Options<Op>]

type Json<Answer> = Answer extends { content: { 'application/json': infer Body } } ? Body : never

export type Reply<Op> = Op extends { responses: infer Answers }
  ? Answers extends { 200: infer Answer }
    ? Json<Answer>
    : Answers extends { 201: infer Answer }
      ? Json<Answer>
      : void
  : never

/** The POSTs that need an idempotency key. */
export type KeyedPath = {
  [Path in PathsOf<'post'>]: IsKeyed<Operation<Path, 'post'>> extends true ? Path : never
}[PathsOf<'post'>]

type Page<Item> = { items: Item[]; nextCursor: string | null }

/** The lists that come in pages. */
export type ListPath = {
  [Path in PathsOf<'get'>]: string extends NonNullable<CursorOf<Reply<Operation<Path, 'get'>>>> ? Path : never
}[PathsOf<'get'>]
type CursorOf<Answer> = Answer extends { nextCursor: infer Cursor } ? Cursor : never

export type ItemOf<Path extends ListPath> =
  Reply<Operation<Path, 'get'>> extends Page<infer Item> ? Item : never

export type ListQuery<Path extends ListPath> =
  QueryPart<Operation<Path, 'get'>> extends { query?: infer Query }
    ? Omit<NonNullable<Query>, 'cursor'>
    : never

type StreamOperation = Operation<'/stream', 'get'>

export type StreamQuery =
  QueryPart<StreamOperation> extends { query?: infer Query } ? Omit<NonNullable<Query>, 'after'> : never

/** One of the events of the live stream: its name in `event`, what happened in `data`. */
export type StreamEvent = StreamOperation extends {
  responses: { 200: { content: { 'text/event-stream': infer Event } } }
}
  ? Event
  : never

export type ProblemBody = components['schemas']['Problem']
