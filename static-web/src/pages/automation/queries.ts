import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { AutomationPerformance, Compare, Executions, History, Look } from '../../api/types'
import type { Span } from '../../lib/range'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** Runs, hours, money and workflows of a period; the last answer is kept for the next visit. */
export function useAutomation(
  tenantId: string,
  span: Span,
  compare: Compare,
  enabled = true,
  every: number | false = false,
) {
  const name = ['automation', tenantId, ...Object.values(span), compare].join('.')
  return useQuery({
    queryKey: ['automation', tenantId, span, compare],
    enabled,
    refetchInterval: every,
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

/**
 * How often the page asks while somebody looks at it, in milliseconds. What changed shows within a quarter of a minute; where nothing did, the answer is a 304
 * of two hundred bytes.
 */
export const lookEvery = 13_000

/**
 * Has the sources asked what runs now, unless that was done a moment ago, and tells up to when they are known. What they say comes with the next answer; that they
 * do not is for the schedule to find out.
 */
const look = (tenantId: string, signal: AbortSignal) =>
  api.post<Look>('automation/look', {}, { tenantId, signal }).catch(() => undefined)

/** As a part of a question; nothing where all sources are meant. */
export const of = (sources: string | null): { sources?: string } =>
  sources === null ? {} : { sources }

/** What goes on now, oldest last, and the latest failures; asked for again while the page is in sight. */
export function useRunsNow(tenantId: string, sources: string | null) {
  return useQuery({
    queryKey: ['runs', tenantId, 'now', sources],
    staleTime: 0,
    refetchInterval: lookEvery,
    queryFn: async ({ signal }) => {
      const looked = await look(tenantId, signal)
      const ask = (asked: Record<string, string>) =>
        api.get<Executions>(`automation/executions${query({ ...asked, ...of(sources) })}`, {
          tenantId,
          signal,
        })
      const [open, failed] = await Promise.all([
        ask({ status: 'running,waiting', limit: '100' }),
        ask({ status: 'failed', kind: 'production,error_handler', limit: '5' }),
      ])
      const asOf = looked?.sources.flatMap((source) => source.asOf ?? []).sort()[0]
      return { open: open.executions, more: open.nextCursor !== null, failed, asOf }
    },
  })
}

/** Runs by pages; `workflow` null for those of all. */
export function useRuns(
  tenantId: string,
  asked: { workflow?: string; status?: string; kind?: string; sources?: string },
  enabled = true,
) {
  return useInfiniteQuery({
    queryKey: ['runs', tenantId, asked],
    enabled,
    staleTime: 0,
    refetchInterval: lookEvery,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get<Executions>(
        `automation/executions${query({ ...asked, limit: '25', cursor: pageParam })}`,
        {
          tenantId,
          signal,
        },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
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
