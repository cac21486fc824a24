import { afterAll, expect, onTestFinished } from 'vitest'

/** After the test that is running, else after the file's last one: within a test, vitest never runs an `afterAll`. */
export function afterwards(work: () => unknown): void {
  const end = async () => void (await work())
  if (expect.getState().currentTestName === undefined) afterAll(end)
  else onTestFinished(end)
}
