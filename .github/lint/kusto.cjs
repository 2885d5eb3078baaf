// What Kusto's own parser says of queries, with the tables that they may read: node .github/lint/kusto.cjs <folder of @kusto/language-service-next> < input.json
// Input: { tables: { Name: "(Column: type, …)" }, queries: [{ name, text }] }. Output: a JSON array of sentences, one for each diagnostic.
'use strict'
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { runInThisContext } = require('node:vm')

// Scripts of a compiler from C#, made for a page: they declare globals.
for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) runInThisContext(readFileSync(join(process.argv[2], file), 'utf8'), file)
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language

const { tables, queries } = JSON.parse(readFileSync(0, 'utf8'))
const symbols = Object.entries(tables).map(([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null))
const database = new Symbols.DatabaseSymbol.$ctor1('workspace', symbols)
const globals = GlobalState.Default.WithDatabase(database)
const found = []
for (const { name, text } of queries) {
  const code = KustoCode.ParseAndAnalyze(text, globals)
  const diagnostics = globalThis.Bridge.toArray(code.GetDiagnostics())
  for (const one of diagnostics) found.push(`${name}: ${one.Message} [${one.Code}, ${one.Severity}] at ${text.slice(one.Start, one.End) || 'the end'}`)
}
process.stdout.write(JSON.stringify(found))
