import { useQuery } from '@tanstack/react-query'
import { ChevronDown } from 'lucide-react'
import { api } from '../../api/client'
import type { Sources } from '../../api/types'
import type { Period } from '../../lib/range'
import { useIdentity } from '../../lib/session'
import { sources as text } from './messages'

const useSources = (tenantId: string) =>
  useQuery({
    queryKey: ['sources', tenantId],
    // What is connected changes seldom, and a page without the filter is whole.
    staleTime: 60_000,
    queryFn: ({ signal }) => api.get<Sources>('sources', { signal, tenantId }),
  })

/** Whose numbers the page shows, kept in its address. Nothing where one source alone can answer. */
export function SourceFilter({ period, of }: { period: Period; of: string }) {
  const { tenant } = useIdentity()
  const { data } = useSources(tenant.id)
  const able = (data?.sources ?? []).filter((source) =>
    source.kpis.some((key) => key.startsWith(of)),
  )
  const chosen = period.sources
  // What was narrowed elsewhere can be widened here.
  if (able.length < 2 && chosen === null) return null
  return (
    <label className="relative -my-2.5 flex min-w-0 items-center">
      <span className="sr-only">{text.label}</span>
      <span aria-hidden="true" className="mx-1">
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
          <option value={chosen}>
            {data?.sources.find((source) => source.id === chosen)?.name ??
              text.several(chosen.split(',').length)}
          </option>
        )}
      </select>
      <ChevronDown aria-hidden="true" size={14} className="pointer-events-none absolute right-1" />
    </label>
  )
}
