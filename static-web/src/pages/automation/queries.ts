import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { AutomationPerformance, Compare, History } from '../../api/types'
import type { Span } from '../../lib/range'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** Runs, hours, money and workflows of a period; the last answer is kept for the next visit. */
export function useAutomation(tenantId: string, span: Span, compare: Compare, enabled = true) {
  const name = ['automation', tenantId, ...Object.values(span), compare].join('.')
  return useQuery({
    queryKey: ['automation', tenantId, span, compare],
    enabled,
    queryFn: async ({ signal }) => {
      const data = await api.get<AutomationPerformance>(
        `automation/performance${query({ ...span, compare })}`,
        {
          signal,
          tenantId,
        },
      )
      writeSnapshot(name, data, Date.now())
      return data
    },
    // A saved copy, however young, is shown but never taken for an answer.
    refetchOnMount: 'always',
    initialData: () => readSnapshot<AutomationPerformance>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<AutomationPerformance>(name)?.at,
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId ? previous : undefined,
  })
}

/** Revenue by day, in the currency that its source tells it in; null for a business without a shop. */
export function useRevenue(tenantId: string, from: string, to: string) {
  const kpi = 'shop.revenue'
  return useQuery({
    queryKey: ['revenue', tenantId, from, to],
    queryFn: async ({ signal }) => {
      const history = await api.get<History>(
        `metrics/history${query({ kpis: kpi, from, to, grain: 'day' })}`,
        { signal, tenantId },
      )
      return history.series.find((one) => one.key === kpi) ?? null
    },
  })
}
