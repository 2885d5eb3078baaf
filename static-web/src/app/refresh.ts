import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, ApiError } from '../api/client'
import type { RefreshAccepted, SyncRun } from '../api/types'
import { messages } from '../messages'

const every = 1500
const limit = 120_000

export interface RefreshState {
  phase: 'idle' | 'asking' | 'running' | 'done' | 'stopped'
  /** What is known of each run, in the order in which they were started. */
  runs: SyncRun[]
  /** Why it stopped, when it did. */
  note: string | null
  /** The business that is refreshed. */
  tenantId: string
  /** Someone closed the panel while the refresh goes on. */
  hidden: boolean
}

const idle: RefreshState = { phase: 'idle', runs: [], note: null, tenantId: '', hidden: false }
const ended = (run: SyncRun) =>
  run.status === 'succeeded' || run.status === 'failed' || run.status === 'dead'
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks every source for its newest numbers and follows the readings until they end, or two minutes have passed. */
export function useRefresh(tenantId: string) {
  const [kept, setState] = useState<RefreshState>(idle)
  const state = kept.tenantId === tenantId ? kept : idle
  const client = useQueryClient()
  // Which refresh is being followed; a new one, a switch of business or leaving makes the old one stop.
  const turn = useRef(0)

  useEffect(() => {
    const counter = turn
    return () => {
      counter.current++
    }
  }, [tenantId])

  const start = useCallback(async () => {
    const mine = ++turn.current
    const current = () => turn.current === mine
    const show = (next: Pick<RefreshState, 'phase' | 'runs' | 'note'>) => {
      setState((was) => ({ ...was, ...next }))
    }
    setState({ ...idle, phase: 'asking', tenantId })
    let accepted: RefreshAccepted
    try {
      accepted = await api.post<RefreshAccepted>('sync/refresh')
    } catch (error) {
      if (current())
        show({ phase: 'stopped', runs: [], note: messages.refresh.error(sentence(error)) })
      return
    }
    if (!current()) return
    if (accepted.runs.length === 0) {
      show({ phase: 'done', runs: [], note: messages.refresh.nothing })
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
          setState((was) => ({
            ...was,
            phase: 'stopped',
            note: messages.refresh.lost(sentence(error)),
          }))
          return
        }
      }
      if (Date.now() > until) {
        setState((was) => ({ ...was, phase: 'stopped', note: messages.refresh.slow }))
        await client.invalidateQueries()
        return
      }
      await wait(every)
      if (!current()) return
    }
  }, [client, tenantId])

  const dismiss = useCallback(() => {
    setState((was) =>
      was.phase === 'done' || was.phase === 'stopped' ? idle : { ...was, hidden: true },
    )
  }, [])

  return { state, start, dismiss, busy: state.phase === 'asking' || state.phase === 'running' }
}

const sentence = (error: unknown) =>
  error instanceof ApiError ? error.message : messages.errors.unreachable
