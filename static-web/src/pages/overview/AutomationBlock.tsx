import { Link } from 'react-router'
import type { Summary } from '../../api/types'
import { Value } from '../../components/Value'
import { shownUnit } from '../../lib/kpis'
import { later } from '../../messages-later'
import { usePeriod } from '../../lib/range'
import { automationFigures, returnInWords, searchOf } from './automation'

/** Are the automations worth it? The three numbers that answer. */
export function AutomationBlock({ summary }: { summary: Summary }) {
  const kpi = (key: string) => summary.kpis.find((one) => one.key === key)
  const { sources } = usePeriod()
  const figures = automationFigures(summary, sources)
  const rows = [
    { name: later.overview.hoursSaved, kpi: kpi('automation.time_saved') },
    { name: later.overview.valueSaved, kpi: kpi('automation.value_saved') },
    { name: later.overview.roi, kpi: kpi('automation.roi') },
  ].flatMap((row) => (row.kpi ? [{ ...row, kpi: row.kpi }] : []))
  const empty = rows.every((row) => row.kpi.value === null)
  // Of a website there is nothing to say here.
  if (sources !== null && rows.length === 0) return null
  return (
    <section aria-labelledby="automation">
      <h2 id="automation" className="text-lead font-semibold">
        {later.overview.automation}
      </h2>
      {rows.length === 0 || empty ? (
        <p className="mt-2 text-small text-muted">
          {rows.find((row) => row.kpi.statusReason)?.kpi.statusReason ??
            later.overview.automationEmpty}
        </p>
      ) : (
        <dl className="mt-1">
          {rows.map((row) => (
            <div
              key={row.name}
              className="flex items-baseline justify-between gap-4 border-b border-line py-2 last:border-b-0"
            >
              <dt className="text-small text-muted">{row.name}</dt>
              <dd className="text-lead font-semibold">
                <Value
                  value={row.kpi.value}
                  unit={shownUnit(row.kpi)}
                  currency={row.kpi.currency ?? summary.currency}
                  status={row.kpi.status}
                  reason={row.kpi.statusReason}
                  alone
                  atRight
                />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {figures && figures.worth !== null && figures.cost !== null && figures.roi !== null && (
        <p className="num pt-1 text-small text-muted">
          {returnInWords(figures.worth, figures.cost, figures.roi, figures.currency)}
        </p>
      )}
      <Link
        to={{
          pathname: '/automation',
          search: searchOf(summary, sources),
        }}
        className="tap inline-flex items-center text-small text-accent hover:underline"
      >
        {later.overview.automationMore}
      </Link>
    </section>
  )
}
