import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef } from 'react'
import { api, query } from '../../api/client'
import type {
  Catalogue,
  CustomKpis,
  Import,
  Imports,
  Integrations,
  PushLog,
  SourceWorkflows,
  SyncRun,
  SyncRuns,
} from '../../api/types'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { useOfTenant } from '../settings/queries'
import { isLive } from './words'

/** How often something under way is looked at, in milliseconds. */
const soon = 1500
const seldom = 60_000

/** The sources with their clocks; asked for again while one is being read. */
export function useIntegrations() {
  const { tenant } = useIdentity()
  return useQuery({
    queryKey: ['integrations', tenant.id],
    queryFn: ({ signal }) => api.get<Integrations>('integrations', { signal, tenantId: tenant.id }),
    refetchInterval: ({ state }) =>
      state.data?.integrations.some((one) => one.status === 'syncing') ? soon * 2 : seldom,
  })
}

/** A run and how far it is, until it has ended; then all that hangs on its numbers is asked for anew. */
export function useRun(id: string | null) {
  const { tenant } = useIdentity()
  const client = useQueryClient()
  const run = useQuery({
    queryKey: ['run', tenant.id, id],
    queryFn: ({ signal }) =>
      api.get<SyncRun>(`sync/runs/${id ?? ''}`, { signal, tenantId: tenant.id }),
    enabled: id !== null,
    refetchInterval: ({ state }) => (!state.data || isLive(state.data) ? soon : false),
  })
  const live = run.data && isLive(run.data)
  const was = useRef(live)
  useEffect(() => {
    if (was.current && live === false)
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'run' })
    was.current = live
  }, [client, live])
  return run
}

/** Runs, newest first, page by page; looked at again while one of them is under way. */
export function useRuns(
  filter: { source?: string | undefined; state?: string | undefined },
  limit = 30,
) {
  const { tenant } = useIdentity()
  return useInfiniteQuery({
    queryKey: ['runs', tenant.id, filter.source ?? '', filter.state ?? '', limit],
    queryFn: ({ signal, pageParam }) =>
      api.get<SyncRuns>(
        `sync/runs${query({ integrationId: filter.source, status: filter.state, limit: String(limit), cursor: pageParam })}`,
        { signal, tenantId: tenant.id },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.runs.some(isLive)) ? soon * 2 : seldom,
  })
}

export const useWorkflows = (id: string) =>
  useOfTenant<SourceWorkflows>(`workflows ${id}`, `integrations/${id}/workflows`)

/** What was pushed of late, newest first, page by page; looked at again while the page is open. */
export function usePushLog(outcome: 'all' | 'rejected') {
  const { tenant } = useIdentity()
  return useInfiniteQuery({
    queryKey: ['push-log', tenant.id, outcome],
    queryFn: ({ signal, pageParam }) =>
      api.get<PushLog>(`push/log${query({ outcome, limit: '20', cursor: pageParam })}`, {
        signal,
        tenantId: tenant.id,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: seldom / 4,
  })
}

/** Names and units of all numbers. */
export const useCatalogue = () => useOfTenant<Catalogue>('catalogue', 'kpis')

export function useCustomKpis() {
  return useOfTenant<CustomKpis>('custom-kpis', 'kpis/custom', useMay('manage_settings'))
}

const underWay = (one: Import) => one.status === 'queued' || one.status === 'running'

export function useImports() {
  const { tenant } = useIdentity()
  return useQuery({
    queryKey: ['imports', tenant.id],
    queryFn: ({ signal }) => api.get<Imports>('imports', { signal, tenantId: tenant.id }),
    refetchInterval: ({ state }) => (state.data?.imports.some(underWay) ? soon : false),
  })
}

/** An import and how far it is, until it has ended. */
export function useImport(id: string | null) {
  const { tenant } = useIdentity()
  const client = useQueryClient()
  return useQuery({
    queryKey: ['import', tenant.id, id],
    queryFn: async ({ signal }) => {
      const one = await api.get<Import>(`imports/${id ?? ''}`, { signal, tenantId: tenant.id })
      // The list below says the same, and not a moment ago's.
      if (!underWay(one)) void client.invalidateQueries({ queryKey: ['imports', tenant.id] })
      return one
    },
    enabled: id !== null,
    refetchInterval: ({ state }) => (!state.data || underWay(state.data) ? soon / 2 : false),
  })
}

/** After a change: the sources and whatever shows their numbers are asked for anew. */
export function useChanged() {
  const client = useQueryClient()
  return useCallback(
    (...names: string[]) =>
      Promise.all(
        ['integrations', 'sources', 'summary', 'runs', ...names].map((name) =>
          client.invalidateQueries({ queryKey: [name] }),
        ),
      ),
    [client],
  )
}

/** Whether the person may do something here now: nothing changes in a business that is to be deleted. */
export function useMayChange(permission: string) {
  const { tenant } = useIdentity()
  return useMay(permission) && tenant.deleteAfter === null
}
