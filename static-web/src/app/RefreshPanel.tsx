import { X } from 'lucide-react'
import { useEffect } from 'react'
import type { SyncRun } from '../api/types'
import { clock, dayRange } from '../lib/dates'
import { later } from '../messages-later'
import type { RefreshState } from './refresh'

const say = later.refresh

/** What a run is doing, in words. */
function words(run: SyncRun, timeZone: string): string {
  switch (run.status) {
    case 'queued':
      return say.queued
    case 'running':
      return run.windowFrom && run.windowTo
        ? say.running(dayRange(run.windowFrom, run.windowTo, run.windowTo))
        : say.runningPlain
    case 'waiting':
      return say.waiting(run.nextAttemptAt && clock(run.nextAttemptAt, timeZone, new Date()))
    case 'succeeded':
      return say.done(run.changed)
    case 'failed':
      return say.failed(run.message)
    case 'dead':
      return say.dead(run.message)
  }
}

/** Follows a refresh, over the page, so that nothing moves. */
export function RefreshPanel({
  state,
  onClose,
  timeZone,
}: {
  state: RefreshState
  onClose: () => void
  timeZone: string
}) {
  const { phase, runs, note, hidden } = state
  const settled =
    phase === 'done' && note === null && runs.every((run) => run.status === 'succeeded')
  useEffect(() => {
    if (!settled) return
    // All is well and said; nothing is left to do here.
    const timer = setTimeout(onClose, 6000)
    return () => {
      clearTimeout(timer)
    }
  }, [settled, onClose])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') onClose()
    }
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('keydown', onKey)
    }
  }, [onClose])

  const spoken =
    phase === 'idle'
      ? ''
      : phase === 'asking'
        ? say.asking
        : [...runs.map((run) => `${run.displayName}: ${words(run, timeZone)}.`), note]
            .filter(Boolean)
            .join(' ')

  return (
    <>
      <p aria-live="polite" className="sr-only">
        {spoken}
      </p>
      {phase !== 'idle' && !hidden && (
        <section
          aria-label={say.title}
          className="arrive fixed inset-x-3 bottom-3 z-40 rounded border border-line bg-surface py-1 pl-4 shadow-over sm:left-auto sm:w-96"
        >
          <div className="flex items-start justify-between">
            <ul className="num min-w-0 flex-1 py-2.5 text-small">
              {phase === 'asking' && <li>{say.asking}</li>}
              {runs.map((run) => (
                <li key={run.id} className="flex gap-2 py-0.5">
                  <span className="min-w-0 flex-1">
                    <span className="font-semibold">{run.displayName}</span>
                    <span
                      className={
                        run.status === 'failed' || run.status === 'dead'
                          ? 'text-trouble'
                          : 'text-muted'
                      }
                    >
                      {': '}
                      {words(run, timeZone)}
                    </span>
                  </span>
                  {run.status === 'running' && run.slicesTotal > 1 && (
                    <span className="whitespace-nowrap text-muted">
                      {say.slices(run.slicesDone, run.slicesTotal)}
                    </span>
                  )}
                </li>
              ))}
              {note && <li className="py-0.5">{note}</li>}
            </ul>
            <button
              type="button"
              aria-label={say.close}
              className="tap grid place-items-center text-muted hover:text-ink"
              onClick={onClose}
            >
              <X aria-hidden="true" size={16} />
            </button>
          </div>
        </section>
      )}
    </>
  )
}
