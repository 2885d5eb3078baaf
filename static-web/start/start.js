// Runs before anything else, because it is all that may not wait for the page's own code. A file, because the content security policy allows no inline script.
// Built by plugin.ts, which puts in where the API lives.
;(function () {
  // The theme, so that it never flashes.
  var choice = 'system'
  var leaving = false
  try {
    choice = localStorage.getItem('kpi.theme') || 'system'
    leaving = localStorage.getItem('kpi.leaving') !== null
  } catch {
    // Storage may be blocked; then the system decides.
  }
  var dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'

  // Somebody signed out here without a network: the client does that first.
  if (leaving) return

  // Who is signed in, and for the first page its numbers. The API client takes each answer once (client.ts), as if it had asked itself:
  // a session is renewed once, in turn with other tabs. Null: there was no answer.
  function ask(method, path, token, tenant) {
    var headers = { Accept: 'application/json' }
    if (token) headers['X-Kpi-Token'] = token
    if (tenant) headers['X-Kpi-Tenant'] = tenant
    return fetch('__API__/api/' + path, {
      method: method,
      headers: headers,
      credentials: 'include',
      // As long as the client waits.
      signal: AbortSignal.timeout(60000),
    }).catch(function () {
      return null
    })
  }
  function renew() {
    return ask('POST', 'auth/refresh')
  }
  var session = navigator.locks ? navigator.locks.request('kpi.refresh', renew) : renew()
  var start = { at: Date.now(), token: null, answers: { 'POST auth/refresh': session } }
  window.kpiStart = start
  if (location.pathname !== '/') return
  var asked = new URLSearchParams(location.search)
  var period = new URLSearchParams()
  if (asked.get('from') && asked.get('to')) {
    period.set('from', asked.get('from'))
    period.set('to', asked.get('to'))
  } else {
    period.set('range', asked.get('range') || 'last_28_days')
  }
  if (asked.get('sources')) period.set('sources', asked.get('sources'))
  period.set('compare', asked.get('compare') || 'previous_period')
  var admitted = session
    .then(function (answer) {
      return answer && answer.ok ? answer.clone().json() : null
    })
    .then(function (body) {
      if (!body || body.tenant.secondFactorMissing) return null
      start.token = body.accessToken
      return body.tenant.id
    })
    .catch(function () {
      // An answer that is no session: the client says so.
    })
  period.set('with', 'insights')
  var path = 'metrics/summary?' + period
  start.answers['GET ' + path] = admitted.then(function (tenant) {
    return start.token ? ask('GET', path, start.token, tenant) : undefined
  })
})()
