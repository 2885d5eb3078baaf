import { ExternalLink } from 'lucide-react'
import { useState } from 'react'
import type { Execution } from '../../api/types'
import { ErrorNotice, quietButton } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { State } from '../../components/ui'
import { clock } from '../../lib/dates'
import { formatNumber } from '../../lib/format'
import { isStuck } from '../../lib/runs'
import { runs as text } from './messages'
import { of, useRuns, useRunsNow } from './queries'

/** What somebody who looks wants to know first: what failed and why, and what goes on. */
export default function Runs({
  tenantId,
  timeZone,
  sources,
  onFlow,
}: {
  tenantId: string
  timeZone: string
  /** What the page is narrowed to; null for all. */
  sources: string | null
  onFlow: (id: string) => void
}) {
  const query = useRunsNow(tenantId, sources)
  const [all, setAll] = useState(false)
  const more = useRuns(
    tenantId,
    { status: 'failed', kind: 'production,error_handler', ...of(sources) },
    all,
  )
  const data = query.data
  if (!data)
    return query.isError ? (
      <ErrorNotice error={query.error} retry={() => void query.refetch()} />
    ) : (
      <div aria-busy="true" className="mt-8">
        <Skeleton className="h-6 w-40" />
        <Skeleton className="mt-3 h-40 w-full" />
      </div>
    )
  const now = new Date(query.dataUpdatedAt)
  const failed =
    all && more.data ? more.data.pages.flatMap((page) => page.executions) : data.failed.executions
  const hasMore = all ? more.hasNextPage : data.failed.nextCursor !== null
  return (
    <div className="mt-8 grid gap-8 lg:grid-cols-[3fr_2fr] lg:gap-12">
      <section aria-labelledby="failures" className="min-w-0">
        <h2 id="failures" className="text-lead font-semibold">
          {text.failures}
        </h2>
        {failed.length === 0 ? (
          <p className="py-3 text-small text-muted">{text.noFailures}</p>
        ) : (
          <ul className="mt-1">
            {failed.map((run) => (
              <li key={`${run.integrationId} ${run.id}`} className="border-t border-line py-3">
                <div className="flex items-start justify-between gap-4">
                  <Flow run={run} onFlow={onFlow} />
                  <time
                    dateTime={run.startedAt}
                    className="num shrink-0 py-0.5 text-small text-muted"
                  >
                    {clock(run.stoppedAt ?? run.startedAt, timeZone, now)}
                  </time>
                </div>
                <Why run={run} />
                <Links run={run} />
              </li>
            ))}
          </ul>
        )}
        {hasMore && (
          <button
            type="button"
            className={`${quietButton} mt-2`}
            disabled={more.isFetching}
            onClick={() => {
              if (all) void more.fetchNextPage()
              else setAll(true)
            }}
          >
            {more.isFetching ? text.loading : text.more}
          </button>
        )}
      </section>
      <section aria-labelledby="running" className="min-w-0">
        <h2 id="running" className="text-lead font-semibold">
          {text.now}{' '}
          <span className="num text-small font-normal text-muted">
            {text.asOf(clock(data.asOf ?? now.toISOString(), timeZone, now))}
          </span>
        </h2>
        {data.open.length === 0 ? (
          <p className="py-3 text-small text-muted">{text.nothingRuns}</p>
        ) : (
          <ul className="mt-1">
            {data.open.map((run) => (
              <li key={`${run.integrationId} ${run.id}`} className="border-t border-line py-3">
                <Flow run={run} onFlow={onFlow} />
                <Since run={run} timeZone={timeZone} now={now} />
                <Links run={run} />
              </li>
            ))}
          </ul>
        )}
        {data.more && <p className="text-small text-muted">{text.manyOpen}</p>}
      </section>
    </div>
  )
}

/** The workflow by its name, which leads to its runs. */
function Flow({ run, onFlow }: { run: Execution; onFlow: (id: string) => void }) {
  return (
    <button
      type="button"
      aria-label={text.showRuns(run.workflow)}
      title={run.workflow}
      className="-my-2.5 min-w-0 py-2.5 text-left font-semibold hover:underline"
      onClick={() => {
        onFlow(run.workflowId)
      }}
    >
      <span className="line-clamp-2 wrap-anywhere">{run.workflow}</span>
    </button>
  )
}

/** Since when a run is under way, and whether that is too long. */
export function Since({ run, timeZone, now }: { run: Execution; timeZone: string; now: Date }) {
  const since = clock(run.startedAt, timeZone, now)
  const stuck = isStuck(run, now)
  const time = Math.max(0, now.getTime() - Date.parse(run.startedAt))
  return (
    <>
      <p className="num text-small text-muted">
        {run.status === 'waiting'
          ? text.waitingSince(since, run.waitUntil && clock(run.waitUntil, timeZone, now))
          : text.runningFor(
              time < 60_000
                ? formatNumber(time, { unit: 'milliseconds' })
                : formatNumber(time / 60_000, { unit: 'minutes' }),
              since,
            )}
      </p>
      {stuck && (
        <div className="text-small">
          <State tone="attention">
            <span className="min-w-0 whitespace-normal">
              <span className="font-semibold">{text.stuck}</span>{' '}
              {run.status === 'waiting' ? text.stuckWaiting : text.stuckRunning}
            </span>
          </State>
        </div>
      )}
    </>
  )
}

/** Why a run failed: three lines, all of it on demand. */
export function Why({ run }: { run: Execution }) {
  const [whole, setWhole] = useState(false)
  const error = run.error
  if (!error) return null
  const long = (error.message?.length ?? 0) > 140
  return (
    <>
      <p className={`wrap-anywhere ${whole ? '' : 'line-clamp-3'}`}>
        {error.message ?? <span className="text-muted">{text.noMessage[error.state]}</span>}
        {error.node && <span className="text-muted"> {text.inNode(error.node)}</span>}
      </p>
      {long && (
        <button
          type="button"
          aria-expanded={whole}
          className="tap -my-2 text-small font-semibold text-accent hover:underline"
          onClick={() => {
            setWhole(!whole)
          }}
        >
          {whole ? text.lessOf : text.moreOf}
        </button>
      )}
    </>
  )
}

/** What mended it, and the way to it in n8n. */
export function Links({ run }: { run: Execution }) {
  if (run.fixedBy === null && run.url === null) return null
  return (
    <p className="flex flex-wrap items-center gap-x-4 text-small">
      {run.fixedBy !== null && (
        <State tone="good">
          <span className="min-w-0 whitespace-normal wrap-anywhere">{text.fixed(run.fixedBy)}</span>
        </State>
      )}
      {run.url !== null && (
        <a
          href={run.url}
          target="_blank"
          rel="noreferrer"
          aria-label={text.openRun(run.workflow, run.id)}
          className="tap -my-2 inline-flex items-center gap-1 font-semibold text-accent hover:underline"
        >
          {text.open}
          <ExternalLink aria-hidden="true" size={14} />
        </a>
      )}
    </p>
  )
}
