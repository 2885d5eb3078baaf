import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { api, ApiError } from '../../api/client'
import type { Compare, Dashboard, Range, SharedDashboard } from '../../api/types'
import { usePeriod } from '../../lib/range'
import { useIdentity } from '../../lib/session'
import { linkNumbers } from '../../components/board/linkNumbers'
import { forgetShared, readShared, savedShared } from '../../lib/shared'
import { readSnapshot, writeSnapshot } from '../../lib/storage'
import { boards } from '../../messages-boards'
import { useNumbers } from '../dashboards/queries'
import { Wall, type WallBoard } from './Wall'

const minute = 60_000

const useEvery = () => {
  const [params] = useSearchParams()
  const asked = Number(params.get('every'))
  return asked >= 5 && asked <= 3600 ? asked : 30
}

/** Dashboards of whoever is signed in. Numbers are asked for once for all of them, every minute. */
export function OwnScreens({ ids }: { ids: readonly string[] }) {
  const { tenant } = useIdentity()
  const { preset: range, compare } = usePeriod()
  const every = useEvery()
  const navigate = useNavigate()
  const client = useQueryClient()
  const loaded = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['dashboard', tenant.id, `dashboards/${id}`],
      queryFn: async () => {
        const data = await api.get<Dashboard>(`dashboards/${id}`, { tenantId: tenant.id })
        writeSnapshot(`dashboard.${tenant.id}.${id}`, data, Date.now())
        return data
      },
      initialData: () => readSnapshot<Dashboard>(`dashboard.${tenant.id}.${id}`)?.data,
      refetchOnMount: 'always' as const,
    })),
  })
  const found = loaded.flatMap((one) => (one.data ? [one.data] : []))
  const { summary, numbers } = useNumbers(
    tenant.id,
    { range },
    compare,
    found.flatMap((board) => board.tiles),
  )
  useEffect(() => {
    const timer = setInterval(() => {
      for (const name of ['summary', 'automation', 'dashboard'])
        void client.refetchQueries({ queryKey: [name, tenant.id], type: 'active' })
    }, minute)
    return () => {
      clearInterval(timer)
    }
  }, [client, tenant.id])

  const walls: WallBoard[] = found.map((board) => ({
    id: board.id,
    name: board.name,
    business: tenant.name,
    tiles: board.tiles,
    numbers,
    at: summary.dataUpdatedAt,
    lost: summary.isError,
  }))
  return (
    <Wall
      walls={walls}
      every={every}
      waiting={loaded.some((one) => one.isLoading) || summary.isLoading}
      problem={
        walls.length > 0
          ? null
          : loaded.some((one) => one.error instanceof ApiError && one.error.status === 404)
            ? boards.tvMode.missing
            : (loaded.find((one) => one.error)?.error?.message ?? null)
      }
      onExit={() => void navigate('/dashboards')}
    />
  )
}

/** Dashboards of links: one request each. */
export function SharedScreens({ secrets }: { secrets: readonly string[] }) {
  const { preset: range, compare } = usePeriod()
  const every = useEvery()
  const navigate = useNavigate()
  const loaded = useQueries({
    queries: secrets.map((secret) => sharedQuery(secret, range, compare)),
  })
  const walls: WallBoard[] = loaded.flatMap((one, i) => {
    if (!one.data || (one.error instanceof ApiError && one.error.status === 404)) return []
    const { data } = one
    return [
      {
        id: String(i),
        name: data.name,
        business: data.business,
        tiles: data.tiles,
        numbers: {
          ...linkNumbers(data),
        },
        at: one.dataUpdatedAt,
        lost: one.isError,
      },
    ]
  })
  return (
    <Wall
      walls={walls}
      every={every}
      waiting={loaded.some((one) => one.isLoading)}
      problem={walls.length > 0 ? null : (loaded.find((one) => one.error)?.error?.message ?? null)}
      onExit={() => void navigate(`/shared#${secrets[0] ?? ''}`)}
    />
  )
}

const sharedQuery = (secret: string, range: Range, compare: Compare) => ({
  queryKey: ['shared', secret, range, compare],
  queryFn: async (): Promise<SharedDashboard> => {
    try {
      return await readShared(secret, range, compare)
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) forgetShared(secret)
      throw error
    }
  },
  initialData: () => savedShared(secret, range, compare)?.data,
  initialDataUpdatedAt: () => savedShared(secret, range, compare)?.at,
  refetchOnMount: 'always' as const,
  refetchInterval: minute,
  refetchIntervalInBackground: true,
})
