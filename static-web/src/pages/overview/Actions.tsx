import { ChevronRight } from 'lucide-react'
import { Link } from 'react-router'
import type { Insights, Summary } from '../../api/types'
import { useIdentity } from '../../lib/session'
import { later } from '../../messages-later'
import { nextActions } from './next'

const text = later.actions

/** What could be done next, and where. Says nothing when there is nothing to do. */
export function Actions({
  summary,
  insights,
}: {
  summary: Summary
  insights: Insights | undefined
}) {
  const { tenant } = useIdentity()
  const actions = nextActions(summary, insights, (one) => tenant.permissions.includes(one))
  const open = insights?.insights.length ?? 0
  if (actions.length === 0 && open === 0) return null
  return (
    <section aria-labelledby="actions">
      <h2 id="actions" className="text-lead font-semibold">
        {text.title}
      </h2>
      {actions.length === 0 ? (
        <p className="mt-1 text-small text-muted">{open > 0 ? text.nothingElse : text.nothing}</p>
      ) : (
        <ul className="mt-1">
          {actions.map(({ kind, name, to }) => (
            <li key={kind + name} className="border-b border-line">
              <Link
                to={to}
                className="tap group flex items-center justify-between gap-3 py-2 text-small hover:text-accent"
              >
                <span className="min-w-0 wrap-anywhere">{text.words[kind](name)}</span>
                <ChevronRight aria-hidden="true" size={16} className="shrink-0 text-muted" />
              </Link>
            </li>
          ))}
        </ul>
      )}
      {open > 0 && (
        <Link
          to="/insights"
          className="tap inline-flex items-center text-small text-accent hover:underline"
        >
          {text.insights(open)}
        </Link>
      )}
    </section>
  )
}
