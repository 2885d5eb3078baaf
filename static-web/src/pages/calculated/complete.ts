export interface Suggestion {
  /** What is put into the formula. */
  insert: string
  name: string
}

const functions: readonly Suggestion[] = [
  { insert: 'min(', name: 'the smallest of some' },
  { insert: 'max(', name: 'the largest of some' },
  { insert: 'abs(', name: 'without its sign' },
  { insert: 'round(', name: 'to a whole number' },
]

/** The word that is being typed: its start, and what of it stands before the caret. */
export function wordAt(formula: string, caret: number): { start: number; word: string } {
  const word = /[a-z][a-z0-9_.]*$/i.exec(formula.slice(0, caret))?.[0] ?? ''
  return { start: caret - word.length, word }
}

/** What the word could become: keys that begin with it, then keys and names that hold it; none for what is complete. */
export function suggest(
  word: string,
  kpis: readonly { key: string; name: string }[],
  most = 8,
): Suggestion[] {
  const asked = word.toLowerCase()
  if (asked === '') return []
  const all = [...kpis.map(({ key, name }) => ({ insert: key, name })), ...functions]
  if (all.some(({ insert }) => insert === asked)) return []
  const rank = ({ insert, name }: Suggestion) =>
    insert.startsWith(asked)
      ? 0
      : name.toLowerCase().startsWith(asked)
        ? 1
        : insert.includes(asked) || name.toLowerCase().includes(asked)
          ? 2
          : 3
  return all
    .map((one, i) => ({ one, i, rank: rank(one) }))
    .filter((found) => found.rank < 3)
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .slice(0, most)
    .map(({ one }) => one)
}

/** The formula with the word replaced, and where the caret then is. */
export function complete(formula: string, caret: number, insert: string) {
  const { start } = wordAt(formula, caret)
  // What of the same word stands after the caret goes too.
  const rest = formula.slice(caret).replace(/^[a-z0-9_.]*/i, '')
  return { formula: formula.slice(0, start) + insert + rest, caret: start + insert.length }
}

/** A key made of a name: "Revenue per hour saved" → "calc.revenue_per_hour_saved". */
export function keyOf(name: string): string {
  const plain = name
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 55)
    .replace(/_+$/, '')
  return plain === '' ? '' : `calc.${plain}`
}
