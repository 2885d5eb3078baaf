import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Breakdown, Compare, Dimension, History } from '../../api/types'
import { readSnapshot, writeSnapshot } from '../../lib/storage'
import type { Points } from '../overview/history'
import type { Span } from '../../lib/range'

/** One value of a dimension. */
export interface Only {
  dimension: Dimension
  member: string
}

/**
 * How a KPI divides; null asks for nothing. Of each dimension the last answer is kept for the next visit, and no more: snapshots of whole pages must not be
 * pushed out by these.
 */
export function useBreakdown(
  tenantId: string,
  kpi: string | null,
  dimension: Dimension,
  span: Span,
  compare: Compare,
  top: number,
) {
  const name = `breakdown.${tenantId}.${dimension}`
  const asked = [kpi, ...Object.values(span), compare, top].join('.')
  const kept = () => {
    const found = readSnapshot<{ asked: string; answer: Breakdown }>(name)
    return found?.data.asked === asked ? found : null
  }
  return useQuery({
    queryKey: ['breakdown', tenantId, kpi, dimension, span, compare, top],
    enabled: kpi !== null,
    queryFn: async ({ signal }) => {
      const answer = await api.get<Breakdown>(
        `metrics/${kpi ?? ''}/breakdown${query({ dimension, ...span, compare, top: String(top) })}`,
        { signal, tenantId },
      )
      writeSnapshot(name, { asked, answer }, Date.now())
      return answer
    },
    refetchOnMount: 'always',
    initialData: () => kept()?.data.answer,
    initialDataUpdatedAt: () => kept()?.at,
    // More of the same, or another period, comes in the place of what is there; another number or dimension does not.
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId &&
      before.queryKey[2] === kpi &&
      before.queryKey[3] === dimension
        ? previous
        : undefined,
  })
}

/** The points of one value of a dimension; null asks for nothing. */
export function useMemberHistory(
  tenantId: string,
  kpi: string,
  only: Only | null,
  span: Points | null,
) {
  return useQuery({
    queryKey: ['history', tenantId, kpi, span, only],
    enabled: only !== null && span !== null,
    queryFn: async ({ signal }) => {
      const { from = '', to = '', grain = 'day', sources } = span ?? {}
      const { dimension = 'channel', member = '' } = only ?? {}
      const history = await api.get<History>(
        `metrics/history${query({ kpis: kpi, from, to, grain, dimension, member, sources })}`,
        { signal, tenantId },
      )
      return history.series.find((one) => one.key === kpi)?.points ?? []
    },
  })
}
