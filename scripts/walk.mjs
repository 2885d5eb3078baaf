// Walks a running API from registration over sign-in, a connection and a refresh to the summary, as a business would: node scripts/walk.mjs http://localhost:7071
// The n8n that it connects is served here; the app must allow it: Outbound__AllowedHosts=localhost:5678. Signing in with a password needs an address that was
// proved: WALK_DATABASE, a database as its administrator, says so in place of the link in the mail. Without it the session of the registration goes on.
// With WALK_OPS_KEY, a function key, it ends at the operators' routes. With WALK_MASTER_KEY and WALK_METADATA, the file functions.metadata
// of the output, it compares what the host runs with what was published.
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const api = `${process.argv[2] ?? 'http://localhost:7071'}/api`
const key = 'walk-key'
const day = 24 * 60 * 60 * 1000

// Two executions on each of the last three days, one of which failed. The very first of this n8n is among them: of one that forgot older
// executions nobody could say that the oldest day is whole, and it would not count.
const counted = 6
const executions = [0, 1, 2, 3, 4, 5].map((i) => {
  const started = Date.now() - (Math.floor(i / 2) + 1) * day - (i % 2) * 60_000
  const [startedAt, stoppedAt] = [started, started + 2000].map((at) => new Date(at).toISOString())
  const ended = { finished: i !== 3, status: i === 3 ? 'error' : 'success', startedAt, stoppedAt }
  return { id: String(counted - i), mode: 'webhook', workflowId: 'w1', ...ended, retryOf: null, retrySuccessId: null, waitTill: null }
})
const workflows = [{ id: 'w1', name: 'Orders', active: true, nodes: [], connections: {}, settings: {}, tags: [], createdAt: new Date(Date.now() - 30 * day).toISOString(), updatedAt: new Date(Date.now() - 20 * day).toISOString() }]
const n8n = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost')
  const data = url.pathname.endsWith('/workflows') ? workflows
    : url.pathname.endsWith('/executions') ? executions.filter((one) => !url.searchParams.has('status') || one.status === url.searchParams.get('status'))
    : undefined
  const status = request.headers['x-n8n-api-key'] !== key ? 401 : data ? 200 : 404
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(status === 200 ? { data, nextCursor: null } : { message: 'no' }))
})
await new Promise((resolve, reject) => n8n.once('error', reject).listen(5678, 'localhost', resolve))

let token, business
async function call(method, path, body, expected = 200, functionKey = undefined) {
  const answer = await fetch(`${api}/${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(functionKey ? { 'x-functions-key': functionKey } : token && { 'x-kpi-token': token, 'x-kpi-tenant': business }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await answer.text()
  if (answer.status !== expected) throw new Error(`${method} ${path}: ${answer.status}, not ${expected}: ${text.slice(0, 500)}`)
  console.log(`${method} ${path}: ${answer.status}`)
  return text ? JSON.parse(text) : undefined
}

async function until(what, seconds, check) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const result = await check()
    if (result) return result
    if (Date.now() > end) throw new Error(`${what} did not happen within ${seconds} s.`)
    await sleep(1000)
  }
}

try {
  await until('health/ready', 120, async () => (await fetch(`${api}/health/ready`).catch(() => undefined))?.ok)
  await call('GET', 'auth/me', undefined, 401)

  const email = `walk-${Date.now()}@example.com`
  const password = `Walk-${crypto.randomUUID()}`
  const adopt = (session) => ([token, business] = [session.accessToken, session.tenant.id])
  adopt(await call('POST', 'auth/register', { email, password, displayName: 'Walker', businessName: 'Walk', timeZone: 'UTC', currency: 'EUR' }, 201))
  if (process.env.WALK_DATABASE) {
    const proved = spawnSync('psql', [process.env.WALK_DATABASE, '-v', 'ON_ERROR_STOP=1', '-qc', `update users set email_verified_at = now() where email = '${email}'`], { encoding: 'utf8' })
    if (proved.status !== 0) throw new Error(`psql: ${proved.stderr ?? proved.error?.message}`)
    token = undefined
    adopt(await call('POST', 'auth/login', { email, password }))
  }

  const integration = await call('POST', 'integrations', { connector: 'n8n', settings: { baseUrl: 'http://localhost:5678' }, credentials: { apiKey: key } }, 201)
  const { runs } = await call('POST', 'sync/refresh', {}, 202)
  if (runs.length !== 1) throw new Error(`${runs.length} runs, not 1`)
  await until('The sync', 120, async () => {
    const now = await call('GET', `integrations/${integration.id}`)
    if (['failing', 'reconnect_needed'].includes(now.status)) throw new Error(now.message)
    return now.status === 'ok' && now.fetchedAt
  })

  const summary = await call('GET', 'metrics/summary?range=last_7_days')
  const of = (name) => summary.kpis.find((kpi) => kpi.key === `automation.${name}`)?.value
  const seen = [of('executions'), of('succeeded'), of('failed')]
  if (seen.join() !== [counted, counted - 1, 1].join())
    throw new Error(`Of ${counted} executions, ${counted - 1} of which succeeded, the summary has ${seen.join(', ')}.`)
  const measured = summary.kpis.filter((kpi) => typeof kpi.value === 'number').map((kpi) => `${kpi.key} = ${kpi.value}`)
  if (measured.length === 0) throw new Error(`The summary has no value: ${JSON.stringify(summary.kpis).slice(0, 1000)}`)
  if (process.env.WALK_OPS_KEY) {
    const overview = await call('GET', 'ops/overview', undefined, 200, process.env.WALK_OPS_KEY)
    if (!(overview.tenants.total >= 1) || !overview.runs.some((run) => run.status === 'succeeded')) throw new Error(`Operators do not see the sync: ${JSON.stringify(overview).slice(0, 1000)}`)
    const { settings } = await call('GET', 'ops/host', undefined, 200, process.env.WALK_OPS_KEY)
    const missing = settings.filter((setting) => setting.required && !setting.isSet).map((setting) => setting.name)
    if (missing.length > 0) throw new Error(`Not set: ${missing.join(', ')}`)
  }

  if (process.env.WALK_MASTER_KEY && process.env.WALK_METADATA) {
    const running = (await call('GET', '../admin/functions', undefined, 200, process.env.WALK_MASTER_KEY)).map((one) => one.name).sort()
    const published = JSON.parse(readFileSync(process.env.WALK_METADATA, 'utf8')).map((one) => one.name).sort()
    if (running.join() !== published.join())
      throw new Error(`The host runs ${running.length} functions, and ${published.length} are published.`)
    console.log(`${running.length} functions, those that were published`)
  }

  console.log(`Walked. ${measured.join(', ')}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  n8n.close()
  n8n.closeAllConnections()
}
