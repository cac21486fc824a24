// Runs before the first paint, from its own file because the content security policy allows no inline script.
// It is the only code that decides a theme before Vue does; src/ui/theme.ts writes what it reads.
;(function () {
  var theme = null
  try {
    theme = localStorage.getItem('kantor.theme')
  } catch {
    // Storage may be blocked; the system's theme is then used.
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
  document.documentElement.dataset.theme = theme
})()
