// Before `azd deploy`: database roles and migrations, with Entra tokens. A server without a public address is opened for this machine alone, and closed again
// whatever happens; a machine inside the network says KPI_POSTGRES_REACHABLE=true and nothing is opened.
import { randomUUID } from 'node:crypto'
import { az, deployer, fail, required, retry, run } from './lib.mjs'

const group = required('AZURE_RESOURCE_GROUP')
const server = required('KPI_POSTGRES_SERVER')
const host = required('KPI_POSTGRES_HOST')
const database = required('KPI_POSTGRES_DATABASE')
const isPrivate = required('KPI_DATABASE_ACCESS') === 'private'
const rule = `deploy-${randomUUID().slice(0, 8)}`

/** The address that this machine is seen with. */
async function ownAddress() {
  if (process.env.KPI_DEPLOY_ADDRESS) return process.env.KPI_DEPLOY_ADDRESS
  const answer = await fetch('https://api.ipify.org', { signal: AbortSignal.timeout(15_000) })
  const text = (await answer.text()).trim()
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) throw new Error('The address of this machine could not be found out; set KPI_DEPLOY_ADDRESS.')
  return text
}

// By the management API itself: the command line has changed the names of its options between versions.
const ruleUrl = `https://management.azure.com/subscriptions/${required('AZURE_SUBSCRIPTION_ID')}/resourceGroups/${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${server}/firewallRules/${rule}?api-version=2025-08-01`
const setPublic = (state) => az(['postgres', 'flexible-server', 'update', '--resource-group', group, '--name', server, '--public-access', state, '--output', 'none'])

async function open() {
  const address = await ownAddress()
  if (isPrivate) await retry('Opening the database server', () => setPublic('Enabled'))
  const body = JSON.stringify({ properties: { startIpAddress: address, endIpAddress: address } })
  await retry('Firewall rule', () => az(['rest', '--method', 'put', '--url', ruleUrl, '--body', body, '--output', 'none']))
}

async function close() {
  await retry('Removing the firewall rule', () => az(['rest', '--method', 'delete', '--url', ruleUrl, '--output', 'none']))
  if (isPrivate) await retry('Closing the database server', () => setPublic('Disabled'))
}

/** Roles, then migrations. The token is good for an hour, stands in for a password, and goes into the environment of these programs alone. */
async function migrate() {
  const me = deployer()
  const token = az(['account', 'get-access-token', '--resource', 'https://ossrdbms-aad.database.windows.net', '--query', 'accessToken', '--output', 'tsv']).out
  const connection = `Host=${host};Username=${quote(me.name)};Password=${token};SSL Mode=VerifyFull;Timeout=15`
  const roles = { ADMIN_CONNECTION: `${connection};Database=postgres` }
  await retry('Roles', () => run('dotnet', ['run', 'infra/hooks/roles.cs'], { env: roles, show: true }), { tries: 10 })
  const owner = { ConnectionStrings__PostgresOwner: `${connection};Database=${database};Options="-c role=kpi_owner"` }
  run('dotnet', ['run', '--project', 'functions/KpiDashboard.Cli', '--configuration', 'Release', '--', 'migrate'], { env: owner, show: true })
}

/** A value within a connection string. */
const quote = (text) => `"${text.replaceAll('"', '""')}"`

const inside = process.env.KPI_POSTGRES_REACHABLE === 'true'
let problem
try {
  if (!inside) await open()
  await migrate()
} catch (error) {
  problem = error
} finally {
  if (!inside) await close().catch((error) => fail(`${error.message}\nThe database server may still be open for this machine: remove the rule ${rule} of ${server}.`))
}
if (problem) fail(problem.message)
