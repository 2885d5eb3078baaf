import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Compare, Grain, History, Insights, Range, Summary } from '../../api/types'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** A preset that ends with the last complete day, or days of one's own. */
export type Span = { range: Range } | { from: string; to: string }

/** What is kept for the next visit, shown at once and never taken for an answer, however young. */
function useKept<T>(kind: string, path: string, tenantId: string, span: Span, compare: Compare) {
  const name = [kind, tenantId, ...Object.values(span), compare].join('.')
  return useQuery({
    queryKey: [kind, tenantId, span, compare],
    queryFn: async ({ signal }) => {
      const data = await api.get<T>(`${path}${query({ ...span, compare })}`, { signal, tenantId })
      writeSnapshot(name, data, Date.now())
      return data
    },
    refetchOnMount: 'always',
    initialData: () => readSnapshot<T>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<T>(name)?.at,
    // Another period of the same business stays on the page until the new one is there.
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId ? previous : undefined,
  })
}

/** Every number that the overview shows, in one request. */
export const useSummary = (tenantId: string, span: Span, compare: Compare) =>
  useKept<Summary>('summary', 'metrics/summary', tenantId, span, compare)

/** The score, the morning's sentences and what stands out; asked for beside the numbers. */
export const useInsights = (tenantId: string, span: Span, compare: Compare) =>
  useKept<Insights>('insights', 'insights/business', tenantId, span, compare)

export interface Points {
  from: string
  to: string
  grain: Grain
}

/** The points of one KPI, where the days of the summary are too few or too many to draw. */
export function useHistory(tenantId: string, kpi: string, span: Points | null) {
  return useQuery({
    queryKey: ['history', tenantId, kpi, span],
    enabled: span !== null,
    queryFn: async ({ signal }) => {
      const { from = '', to = '', grain = 'day' } = span ?? {}
      const history = await api.get<History>(
        `metrics/history${query({ kpis: kpi, from, to, grain })}`,
        {
          signal,
          tenantId,
        },
      )
      return history.series.find((one) => one.key === kpi)?.points ?? []
    },
  })
}
