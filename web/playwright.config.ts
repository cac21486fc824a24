import { defineConfig } from '@playwright/test'
import { launchOptions } from './e2e/browser.ts'

export default defineConfig({
  testDir: './e2e',
  outputDir: '../node_modules/.cache/kantor/e2e',
  // The journeys share one server and two cores; side by side they would measure each other.
  workers: 1,
  // Limits are there to catch a hang only: on a busy machine a page may take long without being wrong.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  reporter: 'list',
  use: {
    // Without a locale the browser takes the machine's, and a POSIX one breaks number formats.
    locale: 'en-GB',
    timezoneId: 'Europe/Warsaw',
    screenshot: 'only-on-failure',
    launchOptions: await launchOptions(),
  },
})
