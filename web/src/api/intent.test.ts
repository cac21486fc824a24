import { ApiError } from '@kantor/client'
import { expect, test } from 'vitest'
import { createIntent } from './intent.ts'

function keys() {
  let made = 0
  const used: string[] = []
  const intent = createIntent<{ amount: string }>(() => `key${++made}`)
  const send = (amount: string, outcome: () => Promise<unknown>) =>
    intent.send({ amount }, (_body, key) => {
      used.push(key)
      return outcome()
    })
  return { used, send }
}
const yes = async () => 'done'
const unknown = () => Promise.reject(new ApiError({ code: 'no_answer' }))
const refused = () => Promise.reject(new ApiError({ code: 'insufficient_funds', status: 422 }))

test('pressing again after a lost answer is the same request', async () => {
  const { used, send } = keys()
  await send('5', unknown).catch(() => {})
  await send('5', yes)
  expect(used).toEqual(['key1', 'key1'])
})

test('a changed wish, a refusal and a success each begin a new request', async () => {
  const { used, send } = keys()
  await send('5', unknown).catch(() => {})
  await send('6', refused).catch(() => {})
  await send('6', yes)
  await send('6', yes)
  expect(used).toEqual(['key1', 'key2', 'key3', 'key4'])
})
