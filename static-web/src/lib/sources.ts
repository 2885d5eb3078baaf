import { ApiError } from '../api/client'
import type { Sources } from '../api/types'

export type Source = Sources['sources'][number]

/** Begins so, where it ends with a dot or says nothing; else it is the key itself. */
const isOf = (key: string, of: string) =>
  of === '' || of.endsWith('.') ? key.startsWith(of) : key === of

/**
 * What a page of these numbers can be narrowed to: the sources that know one of them. None where no two know the same: then there is nothing to
 * tell apart.
 * @param of the key of a number, the beginning of keys ("web."), or nothing for all
 */
export function choicesOf(all: readonly Source[], of: string): readonly Source[] {
  const own = all.map((source) => source.kpis.filter((key) => isOf(key, of)))
  const seen = new Set<string>()
  const shared = own.some((keys) => {
    const again = keys.some((key) => seen.has(key))
    for (const key of keys) seen.add(key)
    return again
  })
  return shared ? all.filter((_, i) => (own[i] ?? []).length > 0) : []
}

/** What sources are called; null where one of them is gone. */
export function namesOf(
  ids: readonly string[],
  all: readonly Pick<Source, 'id' | 'name'>[],
): string[] | null {
  const names = ids.flatMap((id) => all.find((source) => source.id === id)?.name ?? [])
  return names.length === ids.length ? names : null
}

/** "North", "North and South", "North, South and West". */
export const joined = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`

/** Whether the API knows nothing of the sources that were asked for. */
export const isGone = (error: unknown): boolean =>
  error instanceof ApiError && error.fields.sources !== undefined
