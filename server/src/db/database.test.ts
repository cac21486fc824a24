import { expect, test } from 'vitest'
import { testDatabase } from '#test/harness'

const { db } = await testDatabase()

test('int8, numeric and date arrive without passing through a float or a time zone', async () => {
  const { rows } = await db.query(
    `select 9007199254740993::int8 as whole, array[9007199254740993, null]::int8[] as wholes,
            0.10::numeric as exact, array[0.10]::numeric[] as exacts, date '2024-02-29' as day,
            array[date '2024-02-29'] as days, timestamptz '2024-02-29 12:00:00.123Z' as instant`,
  )
  expect(rows).toEqual([
    {
      whole: 9007199254740993n,
      wholes: [9007199254740993n, null],
      exact: '0.10',
      exacts: ['0.10'],
      day: '2024-02-29',
      days: ['2024-02-29'],
      instant: new Date('2024-02-29T12:00:00.123Z'),
    },
  ])
})
