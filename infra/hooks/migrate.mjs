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

async function migrate() {
  const me = deployer()
  const connection = (name, user) => `Host=${host};Database=${name};Username=${user};SSL Mode=VerifyFull;Timeout=15`
  const env = {
    // The deployer is the Entra administrator; without a password the command takes a token of whoever is signed in.
    ConnectionStrings__PostgresAdmin: connection('postgres', me.name),
    ConnectionStrings__Postgres: connection(database, 'kpi_app'),
    // The identity that becomes the role kpi_app.
    Postgres__AppPrincipalId: required('KPI_APP_PRINCIPAL_ID'),
    // Of the signed-in person or pipeline, not of the app.
    AZURE_CLIENT_ID: process.env.AZURE_PIPELINE_CLIENT_ID ?? '',
  }
  run('dotnet', ['build', 'functions/KpiDashboard.Cli', '--configuration', 'Release', '--nologo', '--verbosity', 'quiet'], { show: true })
  await retry('Migrations', () => run('dotnet', ['run', '--project', 'functions/KpiDashboard.Cli', '--configuration', 'Release', '--no-build', '--', 'migrate'], { env, show: true }), { tries: 5 })
}

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
