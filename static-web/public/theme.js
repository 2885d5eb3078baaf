// Runs before the first paint, so that the theme never flashes. External, because the CSP allows no inline script.
;(function () {
  var choice = 'system'
  try {
    choice = localStorage.getItem('kpi.theme') || 'system'
  } catch {
    // Storage may be blocked; then the system decides.
  }
  var dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
