import { ERRORS } from '@kantor/contract/errors'
import type { FastifyInstance } from 'fastify'
import { openApiDocument, problemsOf } from './openapi.ts'
import type { Route } from './route.ts'

const escape = (text: string) => text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)

const code = (text: string) => `<code>${escape(text)}</code>`
const prose = (text: string) => escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')

const STYLE = `
:root{color-scheme:light dark;--ground:#fbfaf7;--ink:#16181d;--soft:#5c616b;--line:#e3e0d8;--accent:#0b6b5d}
@media (prefers-color-scheme:dark){:root{--ground:#0d1420;--ink:#e9ecf1;--soft:#9aa3b2;--line:#263042;--accent:#5cc9b5}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:880px;margin:0 auto;padding:24px 16px 80px}h1{font-size:28px;margin:16px 0 4px}h2{font-size:20px;margin:40px 0 8px;text-transform:capitalize}
a{color:var(--accent)}p{margin:4px 0 12px}.soft{color:var(--soft)}code,pre{font:13px/1.5 ui-monospace,monospace}
details{border-top:1px solid var(--line);padding:12px 0}summary{cursor:pointer;overflow-wrap:anywhere}summary b{display:inline-block;min-width:64px;font:600 13px ui-monospace,monospace;color:var(--accent)}
pre{overflow-x:auto;border:1px solid var(--line);border-radius:12px;padding:12px;margin:8px 0}
dt{font-weight:600;margin-top:16px}dd{margin:0 0 8px}dl{margin:0}`

function pageOf(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(title)}</title><link rel="stylesheet" href="/docs/style.css"></head><body><main>${body}</main></body></html>`
}

type Operation = {
  requestBody?: { content: { 'application/json': { schema: unknown } } }
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>
  parameters: { name: string; in: string; required: boolean }[]
  description: string
}

function operationHtml(route: Route, operation: Operation): string {
  const block = (title: string, schema: unknown) =>
    `<p class="soft">${title}</p><pre tabindex="0">${escape(JSON.stringify(schema, null, 2))}</pre>`
  const content = Object.values(operation.responses)[0]?.content
  const reply = content?.['application/json'] ?? content?.['text/event-stream']
  const parameters = operation.parameters.map(
    (one) => `${code(one.name)} <span class="soft">(${one.in}${one.required ? ', required' : ''})</span>`,
  )
  return `<details><summary><b>${route.method}</b> ${code(`/api/v1${route.path}`)} ${escape(route.summary)}</summary>
<p class="soft">${prose(operation.description)}</p>
${parameters.length > 0 ? `<p>${parameters.join(', ')}</p>` : ''}
${operation.requestBody ? block('Body', operation.requestBody.content['application/json'].schema) : ''}
${reply ? block('Answer', reply.schema) : ''}
<p class="soft">Refusals: ${problemsOf(route)
    .map((one) => `<a href="/docs/errors#${one}">${code(one)}</a>`)
    .join(' ')}</p></details>`
}

function apiHtml(routes: readonly Route[], document: ReturnType<typeof openApiDocument>): string {
  const paths = document.paths as Record<string, Record<string, Operation>>
  const groups = Map.groupBy(routes, (route) => route.tag)
  const body = [...groups].map(([tag, members]) => {
    const operations = members.map((route) => {
      const operation = paths[`/api/v1${route.path}`]?.[route.method.toLowerCase()]
      return operation === undefined ? '' : operationHtml(route, operation)
    })
    return `<section><h2>${escape(tag)}</h2>${operations.join('')}</section>`
  })
  const info = document.info as { description: string }
  return pageOf(
    'Kantor API',
    `<h1>Kantor API</h1><p>${prose(info.description)}</p><p><a href="/openapi.json">OpenAPI 3.1 document</a> · <a href="/docs/errors">All error codes</a></p>${body.join('')}`,
  )
}

function errorsHtml(): string {
  const rows = Object.entries(ERRORS).map(
    ([name, { status, title, sentence }]) =>
      `<dt id="${name}">${code(name)} <span class="soft">${status} ${escape(title)}</span></dt><dd>${escape(sentence)}</dd>`,
  )
  return pageOf(
    'Kantor error codes',
    `<h1>Error codes</h1><p><a href="/docs">API</a></p><dl>${rows.join('')}</dl>`,
  )
}

/**
 * `/openapi.json`, and a readable page of it at `/docs` made on the server. Scalar's page was not picked: it
 * is a 4.8 MB script that wants inline styles, which our content security policy refuses.
 */
export function mountApiDocs(
  app: FastifyInstance,
  routes: readonly Route[],
  options: { version: string; cookieName: string },
): void {
  const document = openApiDocument(routes, options.version, options.cookieName)
  const pages = { api: apiHtml(routes, document), errors: errorsHtml() }
  app.get('/openapi.json', async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(document)),
  )
  app.get('/docs', async (_request, reply) => reply.type('text/html; charset=utf-8').send(pages.api))
  app.get('/docs/errors', async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(pages.errors),
  )
  app.get('/docs/style.css', async (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE))
}
