import { useSyncExternalStore } from 'react'
import { clock } from '../lib/dates'
import { isGone } from '../lib/sources'
import { messages } from '../messages'

interface Query {
  data: unknown
  dataUpdatedAt: number
  isError: boolean
  error?: unknown
  refetch: () => unknown
}

const subscribe = (listener: () => void) => {
  addEventListener('online', listener)
  addEventListener('offline', listener)
  return () => {
    removeEventListener('online', listener)
    removeEventListener('offline', listener)
  }
}

/** Says that what is shown is a saved copy, from when, and why; nothing while all is well. */
export function SavedAt({ query, timeZone }: { query: Query; timeZone: string }) {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine)
  if (!query.data || query.dataUpdatedAt === 0 || (online && !query.isError)) return null
  // What is kept of a source that is gone is not shown.
  if (isGone(query.error)) return null
  const time = clock(new Date(query.dataUpdatedAt).toISOString(), timeZone, new Date())
  return (
    <div
      role="status"
      className="sticky bottom-3 z-20 mt-6 flex items-center gap-2 rounded border border-line bg-surface py-0.5 pr-1 pl-3 text-small shadow-over"
    >
      <span aria-hidden="true" className="size-2 shrink-0 rounded-full bg-attention" />
      <span className="flex-1">
        {!online ? messages.fresh.offline(time) : messages.fresh.stale(time)}
      </span>
      <button
        type="button"
        className="tap px-3 font-semibold text-accent"
        onClick={() => query.refetch()}
      >
        {messages.errors.retry}
      </button>
    </div>
  )
}
