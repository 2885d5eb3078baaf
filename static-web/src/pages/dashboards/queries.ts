import { useQueries, useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type {
  AutomationPerformance,
  Compare,
  Dashboard,
  Dashboards,
  DashboardShares,
  DashboardTile,
  Summary,
} from '../../api/types'
import type { BoardNumbers, BoardPart } from '../../components/board/TileBody'
import { useNotes } from '../../components/chart/useNotes'
import { useSources } from '../../components/sources/useSources'
import { narrowing, narrowings, sourcesOf } from '../../lib/boards'
import { sameDays, type Span } from '../../lib/range'
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

/**
 * The numbers of tiles that are narrowed to sources, over the days that all others have: one request for each choice of sources, and one more where its
 * workflows are shown.
 */
export function useParts(
  tenantId: string,
  span: Span,
  compare: Compare,
  tiles: readonly DashboardTile[],
  days: { from: string; to: string } | undefined,
  editing = false,
): Pick<BoardNumbers, 'sources' | 'parts'> {
  const sources = useSources(tenantId, editing || tiles.some((tile) => sourcesOf(tile) !== null))
  const choices = days && sources ? narrowings(tiles, sources) : []
  const asked = choices.map((one) => ({ ...(days ? sameDays(span, days) : span), sources: one }))
  const flows = choices.map((one) =>
    tiles.some((tile) => tile.kind === 'automation' && narrowing(tile) === one),
  )
  const numbers = useQueries({
    queries: asked.map((one) => ({
      queryKey: ['summary', tenantId, one, compare, 'part'],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api.get<Summary>(`metrics/summary${query({ ...one, compare })}`, { signal, tenantId }),
      refetchOnMount: 'always' as const,
    })),
  })
  const automations = useQueries({
    queries: asked.map((one, i) => ({
      queryKey: ['automation', tenantId, one, compare],
      enabled: flows[i] ?? false,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api.get<AutomationPerformance>(`automation/performance${query({ ...one, compare })}`, {
          signal,
          tenantId,
        }),
      refetchOnMount: 'always' as const,
    })),
  })
  const parts = new Map<string, BoardPart>(
    choices.map((one, i) => [
      one,
      { summary: numbers[i]?.data, automation: automations[i]?.data, error: numbers[i]?.error },
    ]),
  )
  return { sources, parts }
}

/** The numbers of a dashboard: one request, one more if the workflows are on it, one for what is noted on its charts, and those of narrowed tiles. */
export function useNumbers(
  tenantId: string,
  span: Span,
  compare: Compare,
  tiles: readonly DashboardTile[],
  editing = false,
  withNotes = false,
) {
  const summary = useSummary(tenantId, span, compare)
  // The same days as every other tile: a preset alone would end where the automations end, which may be days later.
  const { data } = summary
  const automation = useAutomation(
    tenantId,
    data ? sameDays(span, data) : span,
    compare,
    data !== undefined &&
      (editing || tiles.some((tile) => tile.kind === 'automation' && sourcesOf(tile) === null)),
  )
  const charts = editing || tiles.some((tile) => tile.kind === 'chart')
  const { from = '', to = '' } = withNotes && charts ? (data ?? {}) : {}
  const notes = useNotes(tenantId, from, to)
  const parts = useParts(tenantId, span, compare, tiles, data, editing)
  const numbers: BoardNumbers = {
    summary: data,
    annotations: notes.data,
    automation: automation.data,
    ...parts,
  }
  return { summary, automation, numbers }
}
