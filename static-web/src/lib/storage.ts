// What the page remembers between visits: the theme, who was signed in (never a token) and the last snapshots.
const snapshotPrefix = 'kpi.snapshot.'
const most = 24

export interface Snapshot<T> {
  /** When it was loaded, in milliseconds. */
  at: number
  data: T
}

function attempt<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    // Storage may be full or forbidden. Then nothing is remembered, and everything else works.
    return null
  }
}

export function readJson<T>(key: string): T | null {
  return attempt(() => {
    const text = localStorage.getItem(key)
    return text === null ? null : (JSON.parse(text) as T)
  })
}

export function writeJson(key: string, value: unknown) {
  attempt(() => {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, JSON.stringify(value))
  })
}

export const readSnapshot = <T>(name: string) => readJson<Snapshot<T>>(snapshotPrefix + name)

export function writeSnapshot(name: string, data: unknown, at: number) {
  writeJson(snapshotPrefix + name, { at, data })
  const kept = snapshotKeys()
    .map((key) => ({ key, at: readJson<Snapshot<unknown>>(key)?.at ?? 0 }))
    .sort((a, b) => b.at - a.at)
  for (const { key } of kept.slice(most)) writeJson(key, null)
}

export function forgetSnapshots() {
  for (const key of snapshotKeys()) writeJson(key, null)
}

function snapshotKeys(): string[] {
  return (
    attempt(() =>
      Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i)).filter(
        (key): key is string => key?.startsWith(snapshotPrefix) ?? false,
      ),
    ) ?? []
  )
}
