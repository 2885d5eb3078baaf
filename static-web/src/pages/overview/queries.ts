import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Compare, History, Range, Summary } from '../../api/types'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** Everything the overview shows, in one request; the last answer is kept for the next visit and shown at once. */
export function useSummary(tenantId: string, range: Range, compare: Compare) {
  const name = `${tenantId}.${range}.${compare}`
  return useQuery({
    queryKey: ['summary', tenantId, range, compare],
    queryFn: async ({ signal }) => {
      const data = await api.get<Summary>(`metrics/summary${query({ range, compare })}`, {
        signal,
        tenantId,
      })
      writeSnapshot(name, data, Date.now())
      return data
    },
    // A saved copy, however young, is shown but never taken for an answer.
    refetchOnMount: 'always',
    initialData: () => readSnapshot<Summary>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<Summary>(name)?.at,
    // Another period of the same business stays on the page until the new one is there.
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId ? previous : undefined,
  })
}

interface Span {
  from: string
  to: string
  grain: 'day' | 'week'
}

/** The points of one KPI, where the days of the summary are too few or too many to draw. */
export function useHistory(tenantId: string, kpi: string, span: Span | null) {
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
