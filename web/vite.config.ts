import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// Wherever npm hoisted it: the flags are globbed as files, so that each is fetched only when it is drawn.
const flags = join(dirname(fileURLToPath(import.meta.resolve('country-flag-icons/package.json'))), '3x2')

export default defineConfig({
  plugins: [vue(), tailwindcss()],
  resolve: { alias: { '~flags': flags } },
  define: { __VUE_OPTIONS_API__: false },
  server: {
    port: 5173,
    proxy: { '/api': process.env['KANTOR_API'] ?? 'http://127.0.0.1:8080' },
  },
  build: {
    // The content security policy has no data: for fonts and no inline anything, so nothing is inlined.
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
})
