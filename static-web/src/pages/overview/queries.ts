import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Compare, History, Range, Summary } from '../../api/types'
import { addDays } from '../../lib/dates'
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
    initialData: () => readSnapshot<Summary>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<Summary>(name)?.at,
    // Another period of the same business stays on the page until the new one is there.
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId ? previous : undefined,
  })
}

/** One day alone draws no line, so its chart shows the four weeks that it ends. */
export function useFourWeeks(tenantId: string, kpi: string | null, to: string | null) {
  return useQuery({
    queryKey: ['history', tenantId, kpi, to],
    enabled: kpi !== null && to !== null,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      api.get<History>(
        `metrics/history${query({ kpis: kpi ?? '', from: addDays(to ?? '', -27), to: to ?? '', grain: 'day' })}`,
        { signal, tenantId },
      ),
  })
}
