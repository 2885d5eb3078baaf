// Fails the build when the JavaScript of the first load (the entry and everything it imports statically) outgrows its budget.
import { readFileSync, rmSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const budget = 140_000
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const gzip = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry)
if (!entry) throw new Error('The build manifest names no entry.')
const first = new Set()
const walk = (key) => {
  if (first.has(key)) return
  first.add(key)
  for (const next of manifest[key].imports ?? []) walk(next)
}
walk(entry)

let total = 0
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.file.endsWith('.js')) continue
  const size = gzip(chunk.file)
  if (first.has(key)) total += size
  console.log(
    `${first.has(key) ? 'first load' : 'lazy      '}  ${kb(size).padStart(10)}  ${chunk.file}`,
  )
}
// Only this check reads the manifest; it is not deployed.
rmSync(new URL('.vite/', dist), { recursive: true })
console.log(`First load: ${kb(total)} of JavaScript, gzip; the budget is ${kb(budget)}.`)
if (total === 0 || total > budget) {
  console.error('The first load is over its budget: load something lazily or leave it out.')
  process.exit(1)
}
