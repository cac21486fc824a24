import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'contract/src/**/*.test.ts',
      'client/src/**/*.test.ts',
      'server/src/**/*.test.ts',
      'server/test/**/*.test.ts',
      'web/src/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    globalSetup: './server/test/global-setup.ts',
    // A limit is there to catch what hangs. Each is longer than the one inside it, so that the innermost, which says
    // what did not come, is the one that speaks; and all are many times what the slowest takes on a busy machine.
    expect: { poll: { timeout: 60_000, interval: 20 } },
    testTimeout: 180_000,
    hookTimeout: 240_000,
    teardownTimeout: 60_000,
    maxWorkers: 2,
  },
})
