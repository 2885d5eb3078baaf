import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Compare, Summary } from '../../api/types'
import type { Span } from '../../lib/range'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** How often the numbers are looked at while a source is being read, in milliseconds. */
const soon = 4000

/** What is kept for the next visit, shown at once and never taken for an answer, however young. */
export function useKept<T>(
  kind: string,
  path: string,
  tenantId: string,
  span: Span,
  compare: Compare,
  again?: (data: T) => boolean,
  more?: string,
) {
  const name = [kind, tenantId, ...Object.values(span), compare, ...(more ? [more] : [])].join('.')
  return useQuery({
    queryKey: [kind, tenantId, span, compare, more],
    queryFn: async ({ signal }) => {
      const data = await api.get<T>(`${path}${query({ ...span, compare, with: more })}`, {
        signal,
        tenantId,
      })
      writeSnapshot(name, data, Date.now())
      return data
    },
    refetchOnMount: 'always',
    refetchInterval: ({ state }) => state.data !== undefined && again?.(state.data) && soon,
    initialData: () => readSnapshot<T>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<T>(name)?.at,
    // Another period of the same business stays on the page until the new one is there.
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId ? previous : undefined,
  })
}

/** Whether new numbers are on their way. */
export const isSyncing = (summary: Summary | undefined) =>
  summary?.freshness.some(({ status }) => status === 'syncing') ?? false

/** The same with the score, the morning's sentences and what stands out: all that the overview shows. start.js asks for it early. */
export const useOverview = (tenantId: string, span: Span, compare: Compare) =>
  useKept<Summary>('summary', 'metrics/summary', tenantId, span, compare, isSyncing, 'insights')
