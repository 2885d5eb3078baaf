// Before and after `azd provision`: what Bicep cannot or must not do. Secrets are made inside the vault and never printed.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { az, deployer, fail, keySecrets, required, retry, run } from './lib.mjs'

/** Makes the keys that the vault lacks: 32 random bytes in base64 each. One that is there is never touched. */
async function makeKeys(vault) {
  const folder = mkdtempSync(join(tmpdir(), 'kpi-'))
  let made = 0
  try {
    for (const name of keySecrets()) {
      await retry(`Key ${name}`, () => {
        const found = az(['keyvault', 'secret', 'show', '--vault-name', vault, '--name', name, '--query', 'id', '--output', 'tsv'], { allowFailure: true })
        if (found.ok) return
        // Only "not there" means making one. Anything else, such as a right that has not arrived yet, is tried again.
        if (!/SecretNotFound/.test(found.error)) throw new Error(found.error)
        const file = join(folder, name)
        writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 })
        az(['keyvault', 'secret', 'set', '--vault-name', vault, '--name', name, '--file', file, '--encoding', 'utf-8', '--output', 'none'])
        made++
      })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return made
}

async function before() {
  run('az', ['account', 'show', '--output', 'none'], { allowFailure: true }).ok || fail('Sign in first: az login (azd auth login alone is not enough for the hooks).')
  if (process.env.KPI_PROFILE === 'prod' && !process.env.KPI_ALERT_EMAIL) fail('prod needs somebody to tell: azd env set KPI_ALERT_EMAIL you@example.com')
  for (const namespace of ['Microsoft.App', 'Microsoft.DBforPostgreSQL', 'Microsoft.Insights', 'Microsoft.Web'])
    az(['provider', 'register', '--namespace', namespace, '--output', 'none'])
  // A budget keeps the month it began in.
  if (!process.env.KPI_BUDGET_START) run('azd', ['env', 'set', 'KPI_BUDGET_START', `${new Date().toISOString().slice(0, 7)}-01`])
  // A new key must be in the vault before the app is told to use it.
  if (process.env.KPI_VAULT) await makeKeys(process.env.KPI_VAULT)
}

async function after() {
  const group = required('AZURE_RESOURCE_GROUP')
  const vault = required('KPI_VAULT')
  const server = required('KPI_POSTGRES_SERVER')

  const made = await makeKeys(vault)
  const missing = JSON.parse(process.env.KPI_ENTERED_SECRETS || '[]').filter(
    (name) => !az(['keyvault', 'secret', 'show', '--vault-name', vault, '--name', name, '--query', 'id', '--output', 'tsv'], { allowFailure: true }).ok,
  )
  // References to secrets are resolved when the app starts.
  if (made > 0) az(['functionapp', 'restart', '--resource-group', group, '--name', required('KPI_FUNCTION_APP')])

  const me = deployer()
  await retry('Entra administrator of the database', () => {
    const admins = az(['postgres', 'flexible-server', 'microsoft-entra-admin', 'list', '--resource-group', group, '--server-name', server, '--query', '[].objectId', '--output', 'tsv'])
    if (admins.out.split(/\s+/).includes(me.id)) return
    az(['postgres', 'flexible-server', 'microsoft-entra-admin', 'create', '--resource-group', group, '--server-name', server, '--object-id', me.id, '--display-name', me.name, '--type', me.type, '--output', 'none'])
  })

  if (missing.length > 0) {
    console.log('\nThese secrets are yours to enter; until then the app refuses to start:')
    for (const name of missing) console.log(`  az keyvault secret set --vault-name ${vault} --name ${name} --file <file with the secret>`)
  }
}

const step = { before, after }[process.argv[2]] ?? fail('before or after?')
await step().catch((error) => fail(error.message))
