import { ChevronDown } from 'lucide-react'
import type { Period } from '../../lib/range'
import { choicesOf, joined, namesOf } from '../../lib/sources'
import { useIdentity } from '../../lib/session'
import { sources as text } from './messages'
import { useSources } from './useSources'

/** Whose numbers the page shows, kept in its address. Nothing where no two sources know the same. */
export function SourceFilter({
  period,
  of,
  className,
}: {
  period: Period
  of: string
  className: string
}) {
  const { tenant } = useIdentity()
  const all = useSources(tenant.id)
  const able = choicesOf(all ?? [], of)
  const chosen = period.sources
  // What was narrowed elsewhere can be widened here.
  if (able.length === 0 && chosen === null) return null
  return (
    <label className={`flex min-w-0 items-center print:hidden ${className}`}>
      <span className="sm:sr-only">{text.label}</span>
      <span aria-hidden="true" className="mx-1 max-sm:hidden">
        ·
      </span>
      <select
        value={chosen ?? ''}
        onChange={(event) => {
          period.setSources(event.target.value === '' ? null : event.target.value)
        }}
        className="h-11 min-w-0 [field-sizing:content] appearance-none truncate rounded bg-transparent pr-5 pl-0.5 text-ink"
      >
        <option value="">{text.all}</option>
        {able.map((source) => (
          <option key={source.id} value={source.id}>
            {source.name}
          </option>
        ))}
        {chosen !== null && !able.some((source) => source.id === chosen) && (
          <option value={chosen}>{wordsOf(chosen, all)}</option>
        )}
      </select>
      <ChevronDown aria-hidden="true" size={14} className="pointer-events-none -ml-4.5 shrink-0" />
    </label>
  )
}

const wordsOf = (chosen: string, all: ReturnType<typeof useSources>) => {
  const ids = chosen.split(',')
  const names = all && namesOf(ids, all)
  return names ? joined(names) : text.several(ids.length, all !== undefined)
}

/** On paper there is no field that says whose numbers these are. */
export function SourcesOnPaper({ chosen }: { chosen: string }) {
  const { tenant } = useIdentity()
  return ` · ${text.of(wordsOf(chosen, useSources(tenant.id)))}`
}

/** What the sources of the address are called, for a sentence; null while all are meant. */
export function useChosenNames(chosen: string | null): string | null {
  const { tenant } = useIdentity()
  const all = useSources(tenant.id, chosen !== null)
  return chosen === null ? null : wordsOf(chosen, all)
}
