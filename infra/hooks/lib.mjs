// What the hooks share. No packages: a hook must run on a machine that has only Node and the Azure CLI.
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Root of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Ends the hook, and with it azd, with a sentence for a person. */
export function fail(sentence) {
  console.error(`\n${sentence}`)
  process.exit(1)
}

/** An azd environment value that must be there. */
export function required(name) {
  return process.env[name] || fail(`${name} is not set. azd sets it after provisioning; run this through azd.`)
}

/**
 * Runs a program and returns what it printed. Arguments never pass through a shell, except on Windows, where az is a script: none of ours holds more than
 * names, ids and addresses.
 */
export function run(program, args, { input, env, show = false, allowFailure = false } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    input,
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
    stdio: [input === undefined ? 'ignore' : 'pipe', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    maxBuffer: 16 * 1024 * 1024,
    timeout: 30 * 60 * 1000,
  })
  if (result.error?.code === 'ENOENT') fail(`${program} was not found; install it and try again.`)
  if (result.error) throw result.error
  if (result.status !== 0 && !allowFailure) throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed: ${(result.stderr ?? '').trim()}`)
  return { ok: result.status === 0, out: (result.stdout ?? '').trim(), error: (result.stderr ?? '').trim() }
}

/** Runs az on the subscription that azd deploys to. */
export function az(args, options) {
  const subscription = process.env.AZURE_SUBSCRIPTION_ID ? ['--subscription', process.env.AZURE_SUBSCRIPTION_ID] : []
  return run('az', [...args, ...subscription, '--only-show-errors'], options)
}

/** Tries again what Azure refuses for a while: rights take up to ten minutes to arrive, and a database server refuses changes while another is under way. */
export async function retry(what, action, { tries = 20, seconds = 30, wait = sleep } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action()
    } catch (error) {
      if (attempt === tries) throw new Error(`${what} failed ${tries} times; the last time: ${error.message}`)
      console.log(`${what}: not yet (${error.message.split('\n')[0].slice(0, 160)}); again in ${seconds} s`)
      await wait(seconds * 1000)
    }
  }
}

/** Names of a comma-separated setting. */
export const names = (text) => text.split(',').map((name) => name.trim()).filter(Boolean)

/** Names of the vault secrets with the keys that signing and sealing need; modules/api.bicep refers to the same. */
export const keySecrets = (env = process.env) => [
  ...names(env.KPI_AUTH_KEYS || 'k1').map((name) => `auth-${name}`),
  ...names(env.KPI_SEALING_KEYS || 'k1').map((name) => `sealing-${name}`),
  'telemetry-tenant',
]

/** Who deploys: a person, or the identity of a pipeline. */
export function deployer() {
  const account = JSON.parse(az(['account', 'show', '--output', 'json']).out).user
  if (account.type === 'servicePrincipal') {
    const found = JSON.parse(run('az', ['ad', 'sp', 'show', '--id', account.name, '--query', '{id:id,name:displayName}', '--output', 'json']).out)
    return { ...found, type: 'ServicePrincipal' }
  }
  const found = JSON.parse(run('az', ['ad', 'signed-in-user', 'show', '--query', '{id:id,name:userPrincipalName}', '--output', 'json']).out)
  return { ...found, type: 'User' }
}
