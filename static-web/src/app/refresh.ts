import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { SyncRun } from '../api/types'
import { messages } from '../messages'

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
    setState({ ...idle, phase: 'asking', tenantId })
    const show = (next: Partial<RefreshState>) => {
      setState((was) => ({ ...was, ...next }))
    }
    try {
      // Not part of what the first paint waits for.
      const { follow } = await import('./follow')
      await follow(client, tenantId, () => turn.current === mine, show)
    } catch {
      if (turn.current === mine) show({ phase: 'stopped', note: messages.errors.unreachable })
    }
  }, [client, tenantId])

  const dismiss = useCallback(() => {
    setState((was) =>
      was.phase === 'done' || was.phase === 'stopped' ? idle : { ...was, hidden: true },
    )
  }, [])

  return { state, start, dismiss, busy: state.phase === 'asking' || state.phase === 'running' }
}
