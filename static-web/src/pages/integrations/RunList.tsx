import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import type { SyncRun } from '../../api/types'
import { LoadFailed, State } from '../../components/ui'
import { clock, dayName } from '../../lib/dates'
import { formatApart } from '../../lib/formatApart'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { useCatalogue, useRun } from './queries'
import { isLive, runLine, runTone, storyOf, took } from './words'
import { locale } from '../../lib/locale'

const text = words.history

/** Runs, one line each; a line opens to what happened. */
export function RunList({ runs, named = true }: { runs: readonly SyncRun[]; named?: boolean }) {
  return (
    <ul>
      {runs.map((run) => (
        <Row key={run.id} run={run} named={named} />
      ))}
    </ul>
  )
}

function Row({ run, named }: { run: SyncRun; named: boolean }) {
  const { tenant } = useIdentity()
  const [open, setOpen] = useState(false)
  const now = new Date()
  const tone = runTone(run)
  const end = run.finishedAt
  return (
    <li className="border-b border-line">
      <details
        onToggle={(event) => {
          setOpen(event.currentTarget.open)
        }}
      >
        <summary className="group num -mx-2 flex list-none items-start gap-3 rounded px-2 py-3 hover:bg-sunken [&::-webkit-details-marker]:hidden">
          <ChevronRight
            aria-hidden="true"
            size={16}
            className={`mt-0.5 shrink-0 text-muted ${open ? 'rotate-90' : ''}`}
          />
          <span className="min-w-0 flex-1 text-small">
            <span className="flex flex-wrap items-baseline justify-between gap-x-4">
              <span>
                {named && <span className="font-semibold">{run.displayName}, </span>}
                <span className={named ? '' : 'font-semibold'}>
                  {clock(run.startedAt ?? run.queuedAt, tenant.timeZone, now)}
                </span>
                <span className="text-muted">
                  {' '}
                  {text.trigger[run.trigger]}
                  {end && ` · ${took(run.startedAt ?? run.queuedAt, end)}`}
                </span>
              </span>
              <span className={tone === 'trouble' ? 'text-trouble' : ''}>
                <State tone={tone}>{text.status[run.status]}</State>
              </span>
            </span>
            <span className="block text-muted">
              {runLine(run, tenant.timeZone, now)}
              {run.status === 'running' && run.slicesTotal > 1
                ? ` · ${words.progress.steps(run.slicesDone, run.slicesTotal)}`
                : ''}
            </span>
          </span>
        </summary>
        {open && <Story id={run.id} />}
      </details>
    </li>
  )
}

/** What happened in a run, in order, what was asked, and which ended days became others. */
function Story({ id }: { id: string }) {
  const { tenant } = useIdentity()
  const query = useRun(id)
  const catalogue = useCatalogue()
  const run = query.data
  if (!run)
    return (
      <div className="pb-4 pl-7 text-small text-muted">
        {query.isError ? <LoadFailed error={query.error} retry={query.refetch} /> : text.loading}
      </div>
    )
  const now = new Date()
  const time = (at: string) =>
    new Intl.DateTimeFormat(locale, {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZone: tenant.timeZone,
    }).format(new Date(at))
  const named = (key: string) => catalogue.data?.find((kpi) => kpi.key === key)
  const requests = run.requests ?? []
  // Parts that other numbers are computed from have no name and are not told of.
  const restatements = (run.restatements ?? []).filter(({ kpi }) => named(kpi))
  /** What it was and what it is, with the digits that tell them apart. */
  const change = (key: string, before: number, after: number | null) => {
    const kpi = named(key)
    const style = { unit: kpi?.unit ?? 'number', currency: kpi?.currency ?? tenant.currency }
    const shown = formatApart(after === null ? [before] : [before, after], style, 'exact')
    return `${shown[0]} → ${shown[1] ?? text.gone}`
  }
  return (
    <div className="num space-y-4 pb-5 pl-7 text-small" aria-live={isLive(run) ? 'polite' : 'off'}>
      <ol aria-label={text.story.title}>
        {storyOf(run, tenant.timeZone, now).map((step, i) => (
          <li key={i} className="flex gap-4 py-0.5">
            <span className="w-20 shrink-0 text-muted">{step.at ? time(step.at) : ''}</span>
            <span
              className={`min-w-0 wrap-anywhere ${step.tone === 'trouble' ? 'text-trouble' : ''}`}
            >
              {step.text}
            </span>
          </li>
        ))}
      </ol>
      {restatements.length > 0 && (
        <section>
          <h3 className="font-semibold">{text.restatements(restatements.length)}</h3>
          <ul className="mt-1 max-h-80 max-w-[40rem] overflow-y-auto">
            {restatements.map((one) => (
              <li
                key={`${one.kpi} ${one.day}`}
                className="flex flex-wrap justify-between gap-x-6 border-t border-line py-1.5 first:border-t-0"
              >
                <span>
                  {dayName(one.day)}{' '}
                  <span className="text-muted">{named(one.kpi)?.name ?? one.kpi}</span>
                </span>
                <span className="whitespace-nowrap">
                  {change(one.kpi, one.oldValue, one.newValue)}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {requests.length > 0 && (
        <details>
          <summary className="w-fit py-3 font-semibold">{text.requests(requests.length)}</summary>
          <ul className="max-h-80 max-w-[40rem] overflow-y-auto">
            {requests.map((one, i) => (
              <li
                key={i}
                className="flex flex-wrap justify-between gap-x-6 border-t border-line py-1.5 first:border-t-0"
              >
                <span className="min-w-0 wrap-anywhere">
                  <span className="text-muted">{time(one.fetchedAt)}</span> {one.operation}
                </span>
                <span className="text-muted">
                  {[
                    text.request.rows(one.rows),
                    one.sampled ? text.request.sampled : null,
                    one.thresholded ? text.request.thresholded : null,
                  ]
                    .filter(Boolean)
                    .join(', ')}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}
