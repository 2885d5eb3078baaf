import { Link } from 'react-router'
import type { SummaryKpi } from '../../api/types'
import { GoalBar } from '../../components/GoalBar'
import { dayRange } from '../../lib/dates'
import { formatNumber } from '../../lib/format'
import { shownUnit } from '../../lib/kpis'
import { useMay } from '../../lib/may'
import { metric } from '../../messages-metric'

const text = metric.goals

/** What is wanted of this number, and how it stands. */
export function GoalPanel({ kpi, currency }: { kpi: SummaryKpi; currency: string }) {
  const may = useMay('manage_numbers')
  const { goal } = kpi
  if (!goal && !may) return null
  const say = kpi.direction === 'down' ? text.atMost : text.wanted
  return (
    <section aria-labelledby="goal">
      <h2 id="goal" className="text-lead font-semibold">
        {text.title}
      </h2>
      {goal ? (
        <>
          <p className="num mt-1 font-semibold">
            {say(
              formatNumber(goal.target, { unit: shownUnit(kpi), currency }, 'table'),
              text.rhythm[goal.rhythm],
            )}
          </p>
          <GoalBar
            standing={{ ...goal, projected: goal.pace === null ? null : goal.pace * goal.target }}
          />
          <p className="mt-1.5 text-small">{goal.text}</p>
          <p className="num text-small text-muted">{dayRange(goal.from, goal.to)}</p>
          <Link
            to="/goals"
            className="tap inline-flex items-center text-small text-accent hover:underline"
          >
            {text.all}
          </Link>
        </>
      ) : (
        <>
          <p className="mt-1 text-small text-muted">{text.none}</p>
          <Link
            to={`/goals?new=${encodeURIComponent(kpi.key)}`}
            className="tap inline-flex items-center text-small text-accent hover:underline"
          >
            {text.set}
          </Link>
        </>
      )}
    </section>
  )
}
