import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { api, refreshSession } from '../../api/client'
import type {
  Exports,
  Members,
  Roles,
  SecondFactor,
  Settings,
  SignedInSessions,
  Tokens,
} from '../../api/types'
import { useIdentity } from '../../lib/session'

/** What belongs to the business at hand; its id stands second in every key. */
export function useOfTenant<T>(name: string, path: string, enabled = true) {
  const { tenant } = useIdentity()
  return useQuery({
    queryKey: [name, tenant.id],
    queryFn: ({ signal }) => api.get<T>(path, { signal, tenantId: tenant.id }),
    enabled,
  })
}

export const useSettings = () => useOfTenant<Settings>('settings', 'tenant')
export const useMembers = (enabled = true) => useOfTenant<Members>('members', 'members', enabled)
export const useTokens = () => useOfTenant<Tokens>('tokens', 'tokens')
export const useRoles = () => useOfTenant<Roles>('roles', 'roles')

const underWay = (data: Exports | undefined) =>
  data?.exports.some((one) => one.status === 'queued' || one.status === 'running') ?? false

/** The exports, asked for again and again while one is being written. */
export function useExports() {
  const { tenant } = useIdentity()
  return useQuery({
    queryKey: ['exports', tenant.id],
    queryFn: ({ signal }) => api.get<Exports>('tenant/exports', { signal, tenantId: tenant.id }),
    refetchInterval: ({ state }) => (underWay(state.data) ? 1500 : false),
  })
}

/** What belongs to the person, whatever the business. */
export const useSecondFactor = () =>
  useQuery({
    queryKey: ['second-factor'],
    queryFn: ({ signal }) => api.get<SecondFactor>('auth/second-factor', { signal }),
  })
export const useSessions = () =>
  useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => api.get<SignedInSessions>('auth/sessions', { signal }),
  })

/** Reads something again, after a change to it. */
export function useReload() {
  const client = useQueryClient()
  return useCallback(
    (...names: string[]) => {
      return Promise.all(names.map((name) => client.invalidateQueries({ queryKey: [name] })))
    },
    [client],
  )
}

/** Tells the rest of the page what changed about the person or the business. Without an answer it learns it at the next renewal. */
export const renewIdentity = () => refreshSession().catch(() => null)
