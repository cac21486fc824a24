import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { balanceOf, expect, signUp, test } from './fixtures.ts'

/** What another site's page may try with a signed-in visitor's browser. Each answers whether it could read anything. */
const ATTACKS = `
  const body = JSON.stringify({ asset: 'EUR', amount: '5.00' })
  const tries = {
    json: () => fetch(TARGET, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json', 'idempotency-key': 'a' }, body }),
    text: () => fetch(TARGET, { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': 'text/plain' }, body }),
    beacon: () => Promise.resolve(navigator.sendBeacon(TARGET, new Blob([body], { type: 'text/plain' }))),
    read: () => fetch(TARGET.replace('/deposits', ''), { credentials: 'include' }),
  }
  window.results = Promise.all(Object.entries(tries).map(async ([name, attempt]) => {
    try { const answer = await attempt(); return [name, answer.type ?? 'sent', answer.type === 'opaque' ? '' : await answer.text?.()] }
    catch (error) { return [name, 'refused', ''] }
  }))
  const form = document.createElement('form')
  form.method = 'POST'; form.action = TARGET; form.enctype = 'text/plain'; form.target = 'sink'
  const field = document.createElement('input')
  field.name = '{"asset":"EUR","amount":"5.00","x":"'; field.value = '"}'
  form.append(field); document.body.append(form); form.submit()
`

test('a page of another origin can neither move money nor read anything', async ({ open, address }) => {
  const { page, expectFault } = await open()
  await signUp(page, address, 'Nina')
  const before = await balanceOf(page, address, 'EUR')

  for (const host of ['127.0.0.1', 'localhost']) {
    const evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>x</title><body><iframe name="sink"></iframe></body>')
    })
    await new Promise<void>((ready) => evil.listen(0, '127.0.0.1', ready))
    const { port } = evil.address() as AddressInfo
    expectFault(/CORS|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|40[0-9]|415|frame|X-Frame|Refused|Framing/iu)
    await page.goto(`http://${host}:${port}/`)
    await page.evaluate(ATTACKS.replaceAll('TARGET', JSON.stringify(`${address}/api/v1/wallet/deposits`)))
    const results = (await page.evaluate('window.results')) as [string, string, string][]
    for (const [name, outcome, text] of results) {
      expect([name, ['refused', 'opaque', 'sent'].includes(outcome), text ?? '']).toEqual([name, true, ''])
    }
    await page.waitForTimeout(300)
    evil.closeAllConnections()
    evil.close()
  }
  expect(await balanceOf(page, address, 'EUR')).toBe(before)
})
