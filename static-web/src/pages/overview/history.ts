import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Compare, Grain, History, Insights, Summary } from '../../api/types'
import type { Span } from '../../lib/range'
import { isSyncing, useKept } from './queries'

export interface Points {
  from: string
  to: string
  grain: Grain
  /** Only of these; all when left out. */
  sources?: string | undefined
}

/** The points of one KPI, where the days of the summary are too few or too many to draw. */
export function useHistory(tenantId: string, kpi: string, span: Points | null) {
  return useQuery({
    queryKey: ['history', tenantId, kpi, span],
    enabled: span !== null,
    queryFn: async ({ signal }) => {
      const { from = '', to = '', grain = 'day', sources } = span ?? {}
      const history = await api.get<History>(
        `metrics/history${query({ kpis: kpi, from, to, grain, sources })}`,
        {
          signal,
          tenantId,
        },
      )
      return history.series.find((one) => one.key === kpi)?.points ?? []
    },
  })
}

/** Every number of a period, in one request. */
export const useSummary = (tenantId: string, span: Span, compare: Compare) =>
  useKept<Summary>('summary', 'metrics/summary', tenantId, span, compare, isSyncing)

/** What stands out, without the numbers. */
export const useInsights = (tenantId: string, span: Span, compare: Compare) =>
  useKept<Insights>('insights', 'insights/business', tenantId, span, compare)
