import { Check, Minus, X } from 'lucide-react'
import { useEffect } from 'react'
import { Link, useSearchParams } from 'react-router'
import { api, query } from '../../api/client'
import type { Goal, Goals as Answer, GoalStanding } from '../../api/types'
import { Dialog } from '../../components/Dialog'
import { GoalBar } from '../../components/GoalBar'
import { primaryButton } from '../../components/buttons'
import { Notice } from '../../components/Notice'
import { LoadFailed, Rows, State, useQuestion } from '../../components/ui'
import { dayRange } from '../../lib/dates'
import { shortDay } from '../../lib/dayNames'
import { formatNumber, type NumberStyle } from '../../lib/format'
import { formatApart } from '../../lib/formatApart'
import { useSources } from '../../components/sources/useSources'
import { shownUnit } from '../../lib/kpis'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { joined, namesOf } from '../../lib/sources'
import { messages } from '../../messages'
import { goals as text } from '../../messages-goals'
import { useOfTenant, useReload } from '../settings/queries'
import { GoalForm } from './GoalForm'

export default function Goals() {
  const { tenant } = useIdentity()
  const may = useMay('manage_numbers')
  const [params, setParams] = useSearchParams()
  const list = useOfTenant<Answer>('goals', 'goals')
  const reload = useReload()
  const { ask, dialog } = useQuestion()
  useEffect(() => {
    document.title = `${tenant.name} · ${text.title} · ${messages.productShort}`
  }, [tenant.name])
  const asked = params.get('new')
  const edited = list.data?.goals.find((goal) => goal.id === params.get('edit'))
  const open = may && (asked !== null || edited !== undefined)
  const show = (name: 'new' | 'edit' | null, value = '') => {
    setParams(
      (was) => {
        const next = new URLSearchParams(was)
        next.delete('new')
        next.delete('edit')
        if (name) next.set(name, value)
        return next
      },
      { replace: true },
    )
  }
  const changed = () => reload('goals', 'summary', 'insights')
  const goals = list.data?.goals
  return (
    <div className="mx-auto max-w-[60rem] px-4 pb-16 sm:px-8">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 pt-4 lg:pt-8">
        <div className="max-w-prose">
          <h1 className="text-big font-semibold tracking-[-0.01em]">{text.title}</h1>
          <p className="mt-1 text-muted">{text.lead}</p>
        </div>
        {may && goals && goals.length > 0 && (
          <button
            type="button"
            className={primaryButton}
            onClick={() => {
              show('new')
            }}
          >
            {text.add}
          </button>
        )}
      </div>
      <div className="mt-6">
        {goals ? (
          goals.length === 0 ? (
            <Notice
              title={text.emptyTitle}
              action={
                may && (
                  <button
                    type="button"
                    className={primaryButton}
                    onClick={() => {
                      show('new')
                    }}
                  >
                    {text.add}
                  </button>
                )
              }
            >
              {may ? text.empty : text.readOnly}
            </Notice>
          ) : (
            <ul>
              {goals.map((goal) => (
                <Entry
                  key={goal.id}
                  goal={goal}
                  today={list.data?.today ?? ''}
                  onEdit={
                    may
                      ? () => {
                          show('edit', goal.id)
                        }
                      : null
                  }
                  onRemove={() => {
                    ask({
                      title: text.removeTitle(goal.name ?? goal.kpiName),
                      text: <p>{text.removed}</p>,
                      action: text.remove,
                      danger: true,
                      run: async () => {
                        await api.delete(`goals/${goal.id}`)
                        await changed()
                      },
                    })
                  }}
                />
              ))}
            </ul>
          )
        ) : list.error ? (
          <LoadFailed error={list.error} retry={list.refetch} />
        ) : (
          <Rows count={4} />
        )}
      </div>
      <Dialog
        title={edited ? text.form.editTitle(edited.kpiName) : text.form.title}
        open={open}
        onClose={() => {
          show(null)
        }}
      >
        {open && (
          <GoalForm
            goal={edited ?? null}
            kpi={asked ?? ''}
            today={list.data?.today ?? null}
            onDone={async () => {
              show(null)
              await changed()
            }}
          />
        )}
      </Dialog>
      {dialog}
    </div>
  )
}

const tones = {
  on_track: 'good',
  met: 'good',
  off_track: 'attention',
  missed: 'attention',
  unknown: 'plain',
  not_started: 'plain',
} as const

function Entry({
  goal,
  today,
  onEdit,
  onRemove,
}: {
  goal: Goal
  today: string
  onEdit: (() => void) | null
  onRemove: () => void
}) {
  const { tenant } = useIdentity()
  const style: NumberStyle = {
    unit: shownUnit({ key: goal.kpi, unit: goal.unit }),
    currency: goal.currency ?? tenant.currency,
  }
  const name = goal.name ?? goal.kpiName
  const wanted = (goal.direction === 'down' ? text.atMost : text.wanted)(
    formatNumber(goal.target, style, 'table'),
    goal.rhythm === 'dated'
      ? text.dated(shortDay(goal.startsOn), shortDay(goal.endsOn ?? goal.startsOn))
      : text.rhythm[goal.rhythm],
  )
  /** Target and value, which stand beside each other, with the digits that tell them apart. */
  const apart = (one: GoalStanding) =>
    one.value === null
      ? [formatNumber(one.target, style, 'table'), messages.notMeasurable]
      : formatApart([one.target, one.value], style, 'table')
  const { now } = goal
  const all = useSources(tenant.id, goal.sources !== null)
  const names = goal.sources && all ? namesOf(goal.sources, all) : null
  // What is left of it is not what was wanted.
  const gone = goal.sources !== null && all !== undefined && names === null
  return (
    <li className="border-t border-line py-5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-6">
        <div className="min-w-0">
          <h2 className="font-semibold">
            <Link
              to={`/metrics/${goal.kpi}${gone ? '' : query({ sources: goal.sources?.join() })}`}
              className="inline-flex items-center max-lg:tap hover:text-accent"
            >
              {name}
            </Link>
          </h2>
          <p className="num text-small text-muted">
            {[goal.name ? `${goal.kpiName}, ${wanted}` : wanted, names && text.of(joined(names))]
              .filter(Boolean)
              .join(' ')}
          </p>
        </div>
        <p className={`text-small font-semibold ${gone ? 'hidden' : ''}`}>
          <State tone={tones[now.state]}>
            {(now.state === 'unknown' && now.paceWithheld && text.unknownWhy[now.paceWithheld]) ||
              text.state[now.state]}
          </State>
        </p>
      </div>
      {gone ? (
        <p className="mt-2 text-small text-attention">{text.sourceGone}</p>
      ) : (
        <>
          <GoalBar standing={now} />
          <p className="mt-2 text-small">
            {now.text} <span className="num text-muted">{dayRange(now.from, now.to, today)}</span>
          </p>
        </>
      )}
      <div className="mt-2 flex flex-wrap items-center justify-between gap-x-6">
        <div className="flex flex-wrap items-center gap-x-3 text-small">
          {!gone && (
            <>
              {goal.history.length > 0 && <Marks history={goal.history} />}
              <span className="text-muted">{text.record(goal.met, goal.missed)}</span>
            </>
          )}
        </div>
        {onEdit && (
          <div className="-mr-3 flex">
            {!gone && (
              <button
                type="button"
                aria-label={text.editOf(name)}
                className="tap px-3 text-small text-accent hover:underline"
                onClick={onEdit}
              >
                {text.edit}
              </button>
            )}
            <button
              type="button"
              aria-label={text.removeOf(name)}
              className="tap px-3 text-small text-muted hover:text-trouble"
              onClick={onRemove}
            >
              {text.remove}
            </button>
          </div>
        )}
      </div>
      {!gone && goal.history.length > 0 && (
        <details className="text-small">
          <summary className="tap inline-flex items-center text-accent hover:underline">
            {text.show}
          </summary>
          <table className="num w-full">
            <caption className="sr-only">{text.history}</caption>
            <thead className="text-left text-muted">
              <tr>
                <th scope="col" className="py-1.5 font-normal">
                  {text.columns.period}
                </th>
                <th scope="col" className="py-1.5 text-right font-normal">
                  {text.columns.target}
                </th>
                <th scope="col" className="py-1.5 text-right font-normal">
                  {text.columns.value}
                </th>
                <th scope="col" className="py-1.5 text-right font-normal">
                  {text.columns.state}
                </th>
              </tr>
            </thead>
            <tbody>
              {goal.history.map((one) => (
                <tr key={one.from} className="border-t border-line">
                  <th scope="row" className="py-1.5 text-left font-normal">
                    {dayRange(one.from, one.to, today)}
                  </th>
                  {apart(one).map((shown, i) => (
                    <td
                      key={i}
                      className="py-1.5 text-right"
                      title={i === 1 ? one.text : undefined}
                    >
                      {shown}
                    </td>
                  ))}
                  <td className="py-1.5 text-right">
                    {(one.state === 'unknown' &&
                      one.paceWithheld &&
                      text.unknownWhy[one.paceWithheld]) ||
                      text.state[one.state]}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </li>
  )
}

/** The periods that are over, the oldest first: a tick, a cross, or a dash where nothing can be said. */
function Marks({ history }: { history: readonly GoalStanding[] }) {
  return (
    <span aria-hidden="true" className="flex gap-1">
      {[...history].reverse().map((one) => (
        <span
          key={one.from}
          title={`${dayRange(one.from, one.to)}: ${one.text}`}
          className={`grid size-5 place-items-center rounded ${
            one.state === 'met'
              ? 'bg-good text-page'
              : one.state === 'missed'
                ? 'border border-attention text-attention'
                : 'border border-line text-muted'
          }`}
        >
          {one.state === 'met' ? (
            <Check size={13} strokeWidth={3} />
          ) : one.state === 'missed' ? (
            <X size={13} strokeWidth={2.5} />
          ) : (
            <Minus size={13} />
          )}
        </span>
      ))}
    </span>
  )
}
