import { useMemo, useState } from 'react'
import type { AutomationPerformance, DayStatus } from '../../api/types'
import { Chart, type ChartSeries } from '../../components/chart/Chart'
import { Dialog } from '../../components/Dialog'
import { quietButton } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { inputClass, LoadFailed, Select } from '../../components/ui'
import { addDays, clock } from '../../lib/dates'
import { formatNumber } from '../../lib/format'
import { runs as text } from './messages'
import { of, useRuns } from './queries'
import { Links, Since, Why } from './Runs'
import { SaveFile } from './SaveFile'

/** What one workflow did, run by run, and whether it gets slower. */
export default function FlowRuns({
  id,
  data,
  tenantId,
  timeZone,
  sources,
  onClose,
}: {
  id: string
  data: AutomationPerformance
  tenantId: string
  timeZone: string
  sources: string | null
  onClose: () => void
}) {
  const [status, setStatus] = useState('')
  const query = useRuns(tenantId, {
    workflow: id,
    ...(status ? { status } : {}),
    ...of(sources),
  })
  const flow = data.workflows.find((one) => one.id === id)
  const all = query.data?.pages.flatMap((page) => page.executions)
  const now = new Date(query.dataUpdatedAt)
  const name = flow?.name ?? all?.[0]?.workflow ?? id
  return (
    <Dialog title={text.runsOf(name)} open wide onClose={onClose}>
      {flow && <Duration flow={flow} to={data.to} step={data.trendStepDays} />}
      <div className="mt-4 flex flex-wrap items-center justify-between gap-2">
        <label className="flex items-center gap-2 text-small text-muted">
          {text.state}
          <Select
            value={status}
            onChange={(event) => {
              setStatus(event.target.value)
            }}
            className={`${inputClass} border-line-strong text-ink`}
          >
            {Object.entries(text.states).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </Select>
        </label>
        <SaveFile
          label={text.exportRuns}
          path="automation/export/executions"
          asked={{ workflow: id, ...(status ? { status } : {}), ...of(sources) }}
          name="runs"
        />
      </div>
      {!all ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={query.refetch} />
        ) : (
          <Skeleton className="mt-3 h-64 w-full" />
        )
      ) : all.length === 0 ? (
        <p className="py-4 text-small text-muted">{text.none}</p>
      ) : (
        <ul className="mt-2">
          {all.map((run) => (
            <li key={`${run.integrationId} ${run.id}`} className="border-t border-line py-2.5">
              <p className="flex flex-wrap items-baseline justify-between gap-x-4">
                <span className={run.status === 'failed' ? 'font-semibold text-trouble' : ''}>
                  {text.status[run.status]}
                  {text.kind[run.kind] && (
                    <span className="font-normal text-muted"> · {text.kind[run.kind]}</span>
                  )}
                </span>
                <span className="num text-small text-muted">
                  {clock(run.startedAt, timeZone, now)}
                  {run.durationMs !== null &&
                    ` · ${text.took(formatNumber(run.durationMs, { unit: 'milliseconds' }))}`}
                </span>
              </p>
              {(run.status === 'running' || run.status === 'waiting') && (
                <Since run={run} timeZone={timeZone} now={now} />
              )}
              <Why run={run} />
              <Links run={run} />
            </li>
          ))}
        </ul>
      )}
      {query.hasNextPage && (
        <button
          type="button"
          className={`${quietButton} mt-2`}
          disabled={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {query.isFetchingNextPage ? text.loading : text.more}
        </button>
      )}
    </Dialog>
  )
}

/** Whether it gets slower. Nothing for what ran once or never. */
function Duration({
  flow,
  to,
  step,
}: {
  flow: AutomationPerformance['workflows'][number]
  to: string
  step: number
}) {
  const drawn = useMemo(() => {
    const values = flow.durationTrend
    const dates = values.map((_, i) => addDays(to, 1 - (values.length - i) * step))
    const status: DayStatus[] = values.map((value) => (value === null ? 'missing' : 'final'))
    const series: ChartSeries[] = [
      { name: text.duration(step), values, tone: 'accent', kind: 'line' },
    ]
    return { dates, status, series, known: values.filter((value) => value !== null).length }
  }, [flow.durationTrend, to, step])
  if (drawn.known < 2) return null
  return (
    <section aria-label={text.duration(step)}>
      <h3 className="text-small text-muted">{text.duration(step)}</h3>
      <Chart
        name={text.duration(step)}
        dates={drawn.dates}
        status={drawn.status}
        series={drawn.series}
        unit="milliseconds"
        grain={step === 1 ? 'day' : 'week'}
        twin
      />
    </section>
  )
}
