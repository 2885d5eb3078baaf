import { ArrowDown, ArrowUp } from 'lucide-react'
import { useState } from 'react'
import type { AutomationWorkflow } from '../../api/types'
import { Sparkline } from '../../components/Sparkline'
import { inputClass, Select } from '../../components/ui'
import { Value } from '../../components/Value'
import { isFailing, sortWorkflows, type WorkflowColumn } from '../../lib/automation'
import { formatNumber, type NumberStyle, type ShownUnit } from '../../lib/format'
import { formatApart } from '../../lib/formatApart'
import {
  filterWorkflows,
  isGone,
  projectsOf,
  tagsOf,
  type FlowFilter,
  type FlowState,
} from '../../lib/runs'
import { later } from '../../messages-later'
import { runs } from './messages'
import { SaveFile } from './SaveFile'

const text = later.automation
const everything: FlowFilter = {
  text: '',
  state: 'all',
  tag: '',
  project: '',
  hideIdle: false,
  showGone: false,
}

const columns: { key: Exclude<WorkflowColumn, 'name'>; unit: ShownUnit }[] = [
  { key: 'executions', unit: 'count' },
  { key: 'successRate', unit: 'ratio' },
  { key: 'failed', unit: 'count' },
  { key: 'lostMinutes', unit: 'minutes' },
  { key: 'averageDurationMs', unit: 'milliseconds' },
  { key: 'timeSavedMinutes', unit: 'minutes' },
  { key: 'valueSaved', unit: 'currency' },
]

const withBefore = ['executions', 'timeSavedMinutes', 'valueSaved'] as const
const hasBefore = (key: string): key is (typeof withBefore)[number] =>
  (withBefore as readonly string[]).includes(key)

/** Which workflow earns its keep and which one fails. A table; on a phone each row is a small stack. */
export function Workflows({
  workflows,
  currency,
  stepDays,
  asked,
  onFlow,
}: {
  workflows: readonly AutomationWorkflow[]
  currency: string
  /** Days of each point of a trend. */
  stepDays: number
  /** Which period the file is to be of. */
  asked: Record<string, string>
  /** Shows the runs of a workflow. */
  onFlow: (id: string) => void
}) {
  const [column, setColumn] = useState<WorkflowColumn>('timeSavedMinutes')
  const [descending, setDescending] = useState(true)
  const [filter, setFilter] = useState(everything)
  const rows = sortWorkflows(filterWorkflows(workflows, filter), column, descending)
  const sortBy = (next: WorkflowColumn) => {
    if (next === column) setDescending(!descending)
    else {
      setColumn(next)
      setDescending(next !== 'name')
    }
  }
  const head = (key: WorkflowColumn) => {
    const on = key === column
    const Arrow = descending ? ArrowDown : ArrowUp
    return (
      <button
        type="button"
        className={`tap -my-1 inline-flex items-center gap-1 whitespace-nowrap hover:text-ink ${key === 'name' ? '' : 'justify-end'} ${on ? 'text-ink' : ''}`}
        onClick={() => {
          sortBy(key)
        }}
      >
        {on && key !== 'name' && <Arrow aria-hidden="true" size={14} />}
        {text.columns[key]}
        {on && key === 'name' && <Arrow aria-hidden="true" size={14} />}
      </button>
    )
  }
  const sorted = (key: WorkflowColumn) =>
    key === column ? (descending ? 'descending' : 'ascending') : 'none'
  /** As short as the value above it, unless the two would look alike. */
  const beforeOf = (now: number | null, before: number, style: NumberStyle) =>
    formatApart(now === null ? [before] : [before, now], style, 'table')[0] ?? ''
  const cell = (flow: AutomationWorkflow, { key, unit }: (typeof columns)[number]) => (
    <span className={key === 'failed' && isFailing(flow) ? 'font-semibold text-trouble' : ''}>
      <Value value={flow[key]} unit={unit} currency={currency} precision="table" atRight />
      {key === 'lostMinutes' && (flow.lostValue ?? 0) > 0 && (
        <span className="block text-small text-muted">
          {formatNumber(flow.lostValue ?? 0, { unit: 'currency', currency }, 'table')}
        </span>
      )}
      {hasBefore(key) && flow.previous && flow.previous[key] !== null && (
        <span className="block text-small text-muted">
          {text.before(beforeOf(flow[key], flow.previous[key], { unit, currency }))}
        </span>
      )}
    </span>
  )
  const subtitle = (flow: AutomationWorkflow) =>
    [
      flow.active ? null : text.inactive,
      flow.timeSavedPerExecution !== null && flow.timeSavedPerExecution > 0
        ? text.perRun(formatNumber(flow.timeSavedPerExecution, { unit: 'minutes' }))
        : null,
    ]
      .filter(Boolean)
      .join(' · ')

  return (
    <section aria-labelledby="workflows" className="mt-10">
      <div className="flex items-center justify-between gap-4">
        <h2 id="workflows" className="text-lead font-semibold">
          {text.workflows}
        </h2>
        {workflows.length > 0 && (
          <SaveFile
            label={runs.exportTable}
            path="automation/export/workflows"
            asked={asked}
            name="workflows"
          />
        )}
      </div>
      {workflows.length > 1 && (
        <Filters
          workflows={workflows}
          shown={rows.length}
          filter={filter}
          onChange={(changed) => {
            setFilter({ ...filter, ...changed })
          }}
        />
      )}
      <div>
        {rows.length > 1 && (
          <label className="flex items-center gap-2 text-small whitespace-nowrap text-muted md:hidden">
            {text.sortBy}
            <Select
              value={column}
              onChange={(event) => {
                const next = event.target.value as WorkflowColumn
                setColumn(next)
                setDescending(next !== 'name')
              }}
              className={`${inputClass} border-line-strong text-ink`}
            >
              {(['name', ...columns.map((one) => one.key)] as const).map((key) => (
                <option key={key} value={key}>
                  {text.columns[key]}
                </option>
              ))}
            </Select>
          </label>
        )}
      </div>
      {rows.length === 0 ? (
        <p className="py-6 text-small text-muted">
          {workflows.length === 0 ? text.noWorkflows : runs.noneFound}
        </p>
      ) : (
        <>
          <table className="print-rows num mt-2 w-full max-md:hidden">
            <thead className="text-small text-muted">
              <tr>
                <th scope="col" aria-sort={sorted('name')} className="text-left font-normal">
                  {head('name')}
                </th>
                <th scope="col" className="pl-4 text-left font-normal max-lg:hidden">
                  {text.trendBy(stepDays)}
                </th>
                {columns.map(({ key }) => (
                  <th
                    key={key}
                    scope="col"
                    aria-sort={sorted(key)}
                    className="pl-4 text-right font-normal"
                  >
                    {head(key)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((flow) => (
                <tr key={flow.id} className="border-t border-line hover:bg-sunken/60">
                  <th scope="row" className="py-2.5 text-left font-normal">
                    <Name flow={flow} onFlow={onFlow} />
                    <span className="block text-small text-muted">
                      {subtitle(flow) || '\u00a0'}
                    </span>
                  </th>
                  <td className="w-36 py-2.5 pl-4 align-top max-lg:hidden">
                    <Trend flow={flow} />
                  </td>
                  {columns.map((one) => (
                    <td key={one.key} className="tip-host py-2.5 pl-4 text-right align-top">
                      {cell(flow, one)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <ul className="mt-2 md:hidden print:hidden">
            {rows.map((flow) => (
              <li key={flow.id} className="border-t border-line py-3">
                <div className="flex items-start justify-between gap-4">
                  <Name flow={flow} onFlow={onFlow} strong />
                  <div className="w-24 shrink-0">
                    <Trend flow={flow} />
                  </div>
                </div>
                {subtitle(flow) && <p className="text-small text-muted">{subtitle(flow)}</p>}
                <dl className="mt-1.5 grid grid-cols-3 gap-x-4 gap-y-1 text-small">
                  {columns.map((one) => (
                    <div key={one.key}>
                      <dt className="text-muted">{text.columns[one.key]}</dt>
                      <dd className="text-body">{cell(flow, one)}</dd>
                    </div>
                  ))}
                </dl>
              </li>
            ))}
          </ul>
          {rows.some((flow) => (flow.lostMinutes ?? 0) > 0) && (
            <p className="mt-3 text-small text-muted">{text.lostIs}</p>
          )}
        </>
      )}
    </section>
  )
}

/** A name of any length stays in its column: two lines of it, all of it as a hint and above its runs. */
function Name({
  flow,
  strong = false,
  onFlow,
}: {
  flow: AutomationWorkflow
  strong?: boolean
  onFlow: (id: string) => void
}) {
  return (
    <button
      type="button"
      title={flow.name}
      className={`-my-2.5 block max-w-64 min-w-0 py-2.5 text-left hover:underline max-md:max-w-full ${strong ? 'font-semibold' : ''} ${flow.active ? '' : 'text-muted'}`}
      onClick={() => {
        onFlow(flow.id)
      }}
    >
      <span className="line-clamp-2 wrap-anywhere">{flow.name}</span>
    </button>
  )
}

const field = `${inputClass} border-line-strong text-ink`

/** Which of them are shown. Tags and projects only where there are some to choose from. */
function Filters({
  workflows,
  shown,
  filter,
  onChange,
}: {
  workflows: readonly AutomationWorkflow[]
  shown: number
  filter: FlowFilter
  onChange: (changed: Partial<FlowFilter>) => void
}) {
  const tags = tagsOf(workflows)
  const projects = projectsOf(workflows)
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2">
      <input
        type="search"
        aria-label={runs.find}
        placeholder={runs.find}
        value={filter.text}
        onChange={(event) => {
          onChange({ text: event.target.value })
        }}
        className={`${field} sm:max-w-64`}
      />
      <Select
        aria-label={runs.filterState}
        value={filter.state}
        onChange={(event) => {
          onChange({ state: event.target.value as FlowState })
        }}
        className={field}
      >
        {Object.entries(runs.flowStates).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </Select>
      {tags.length > 0 && (
        <Select
          aria-label={runs.tag}
          value={filter.tag}
          onChange={(event) => {
            onChange({ tag: event.target.value })
          }}
          className={`${field} max-w-48`}
        >
          <option value="">{runs.allTags}</option>
          {tags.map((tag) => (
            <option key={tag}>{tag}</option>
          ))}
        </Select>
      )}
      {projects.length > 1 && (
        <Select
          aria-label={runs.project}
          value={filter.project}
          onChange={(event) => {
            onChange({ project: event.target.value })
          }}
          className={`${field} max-w-48`}
        >
          <option value="">{runs.allProjects}</option>
          {projects.map(({ id, name }) => (
            <option key={id} value={id}>
              {name ?? runs.unnamedProject(id.slice(0, 6))}
            </option>
          ))}
        </Select>
      )}
      <label className="tap flex items-center gap-2 text-small">
        <input
          type="checkbox"
          checked={filter.hideIdle}
          onChange={(event) => {
            onChange({ hideIdle: event.target.checked })
          }}
        />
        {runs.hideIdle}
      </label>
      {workflows.some(isGone) && (
        <label className="tap flex items-center gap-2 text-small">
          <input
            type="checkbox"
            checked={filter.showGone}
            onChange={(event) => {
              onChange({ showGone: event.target.checked })
            }}
          />
          {runs.showGone}
        </label>
      )}
      <span role="status" className="num text-small text-muted">
        {shown < workflows.length &&
          runs.shown(
            formatNumber(shown, { unit: 'count' }),
            formatNumber(workflows.length, { unit: 'count' }),
          )}
      </span>
    </div>
  )
}

/** The shape of a workflow's runs; nothing where nothing ran, or nothing is known. */
function Trend({ flow }: { flow: AutomationWorkflow }) {
  return flow.trend.some((runs) => runs !== null && runs > 0) ? (
    <Sparkline values={flow.trend} status={[]} />
  ) : null
}
