// Before the page is deployed. Page and API on one origin: nothing to do, packaging built it. On separate ones the page is built again with the address of the
// API, and its content security policy lets it talk there.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, root, run } from './lib.mjs'

/** The policy with one more origin to connect to. */
export function allow(config, origin) {
  const policy = config.globalHeaders?.['Content-Security-Policy'] ?? ''
  const changed = policy.replace(/connect-src ([^;]*)/, (_, sources) => `connect-src ${[...new Set([...sources.trim().split(' '), origin])].join(' ')}`)
  if (!changed.includes(origin)) throw new Error('staticwebapp.config.json has no connect-src in its content security policy.')
  return { ...config, globalHeaders: { ...config.globalHeaders, 'Content-Security-Policy': changed } }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.env.VITE_API_BASE) {
  const base = process.env.VITE_API_BASE
  if (!URL.canParse(base) || new URL(base).origin !== base) fail(`VITE_API_BASE must be an origin such as https://api.example.com, not ${base}.`)
  run('npm', ['--prefix', 'static-web', 'run', 'build'], { env: { VITE_API_BASE: base }, show: true })
  const file = join(root, 'static-web/dist/staticwebapp.config.json')
  writeFileSync(file, `${JSON.stringify(allow(JSON.parse(readFileSync(file, 'utf8')), base), null, 2)}\n`)
}
