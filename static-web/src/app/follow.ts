import type { QueryClient } from '@tanstack/react-query'
import { api, ApiError } from '../api/client'
import type { RefreshAccepted, SyncRun } from '../api/types'
import { messages } from '../messages'
import { later } from '../messages-later'
import type { RefreshState } from './refresh'

const text = later.refresh
const every = 1500
const limit = 120_000

const ended = (run: SyncRun) =>
  run.status === 'succeeded' || run.status === 'failed' || run.status === 'dead'
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const sentence = (error: unknown) =>
  error instanceof ApiError ? error.message : messages.errors.unreachable

/**
 * Starts a refresh and follows its readings until they end, or two minutes have passed.
 * @param current whether anybody still looks
 * @param show says how far it is; what is left out stays
 */
export async function follow(
  client: QueryClient,
  tenantId: string,
  current: () => boolean,
  show: (next: Partial<RefreshState>) => void,
) {
  let accepted: RefreshAccepted
  try {
    accepted = await api.post<RefreshAccepted>('sync/refresh')
  } catch (error) {
    if (current()) show({ phase: 'stopped', runs: [], note: text.error(sentence(error)) })
    return
  }
  if (!current()) return
  if (accepted.runs.length === 0) {
    show({ phase: 'done', runs: [], note: text.nothing })
    return
  }
  const until = Date.now() + limit
  let failures = 0
  for (;;) {
    try {
      const runs = await Promise.all(
        accepted.runs.map(({ id }) => api.get<SyncRun>(`sync/runs/${id}`, { tenantId })),
      )
      failures = 0
      if (!current()) return
      if (runs.every(ended)) {
        show({ phase: 'done', runs, note: null })
        await client.invalidateQueries()
        return
      }
      show({ phase: 'running', runs, note: null })
    } catch (error) {
      if (!current()) return
      // One lost answer is no reason to stop looking.
      if (++failures >= 3) {
        show({ phase: 'stopped', note: text.lost(sentence(error)) })
        return
      }
    }
    if (Date.now() > until) {
      show({ phase: 'stopped', note: text.slow })
      await client.invalidateQueries()
      return
    }
    await wait(every)
    if (!current()) return
  }
}
