import { Problem } from '@kantor/contract/errors'
import { describe, expect, test } from 'vitest'
import { createPasswordHasher } from './password-hasher.ts'

describe('the password hasher', () => {
  test('verifies what it hashed, however the characters were typed, and nothing else', async () => {
    const hasher = createPasswordHasher()
    const made = await hasher.hash('Zażółć gęślą jaźń'.normalize('NFD'))
    expect(await hasher.verify('Zażółć gęślą jaźń'.normalize('NFC'), made)).toBe(true)
    expect(await hasher.verify('Zażółć gęślą jaźn', made)).toBe(false)
    expect(await hasher.verify('anything', null)).toBe(false)
    expect(hasher.isOutdated(made)).toBe(false)
  })

  test('refuses as busy what its queue has no room for, and serves the rest', async () => {
    const hasher = createPasswordHasher({ atOnce: 1, waitingMax: 2 })
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => hasher.hash('x')))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      expect(outcome.reason).toBeInstanceOf(Problem)
      expect(outcome.reason).toMatchObject({ status: 503, options: { retryAfterSeconds: 2 } })
    }
    expect(await hasher.hash('x')).toContain('$argon2id$')
  })

  test('leaves the event loop free', async () => {
    const hasher = createPasswordHasher({ atOnce: 1, waitingMax: 20 })
    const before = performance.eventLoopUtilization()
    await Promise.all(Array.from({ length: 10 }, () => hasher.hash('x')))
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5)
  })
})
