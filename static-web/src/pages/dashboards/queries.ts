import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import type { Compare, Dashboard, Dashboards, DashboardShares } from '../../api/types'
import type { BoardNumbers } from '../../components/board/TileBody'
import { useNotes } from '../../components/chart/useNotes'
import type { Span } from '../../lib/range'
import { readSnapshot, writeSnapshot } from '../../lib/storage'
import { useAutomation } from '../automation/queries'
import { useSummary } from '../overview/history'

/** An answer that is kept for the next visit, and shown at once then. */
function useKept<T>(name: string, tenantId: string, path: string) {
  return useQuery({
    queryKey: [name.split('.')[0], tenantId, path],
    queryFn: async ({ signal }) => {
      const data = await api.get<T>(path, { signal, tenantId })
      writeSnapshot(name, data, Date.now())
      return data
    },
    refetchOnMount: 'always',
    initialData: () => readSnapshot<T>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<T>(name)?.at,
  })
}

export const useDashboards = (tenantId: string) =>
  useKept<Dashboards>(`dashboards.${tenantId}`, tenantId, 'dashboards')

export const useDashboard = (tenantId: string, id: string) =>
  useKept<Dashboard>(`dashboard.${tenantId}.${id}`, tenantId, `dashboards/${id}`)

export function useShares(tenantId: string, id: string, enabled = true) {
  return useQuery({
    enabled,
    queryKey: ['shares', tenantId, id],
    queryFn: ({ signal }) =>
      api.get<DashboardShares>(`dashboards/${id}/shares`, { signal, tenantId }),
  })
}

/** The numbers of a dashboard: one request, one more if the workflows are on it, and one for what is noted on its charts. */
export function useNumbers(
  tenantId: string,
  span: Span,
  compare: Compare,
  withAutomation: boolean,
  withNotes = false,
) {
  const summary = useSummary(tenantId, span, compare)
  // The same days as every other tile: a preset alone would end where the automations end, which may be days later.
  const { data } = summary
  const automation = useAutomation(
    tenantId,
    data ? { from: data.from, to: data.to } : span,
    compare,
    withAutomation && data !== undefined,
  )
  const { from = '', to = '' } = withNotes ? (summary.data ?? {}) : {}
  const notes = useNotes(tenantId, from, to)
  const numbers: BoardNumbers = {
    summary: summary.data,
    annotations: notes.data,
    automation: automation.data,
  }
  return { summary, automation, numbers }
}
