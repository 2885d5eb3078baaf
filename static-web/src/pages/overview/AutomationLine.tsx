import { Link } from 'react-router'
import type { Summary } from '../../api/types'
import { moneyOptions } from '../../lib/currency'
import { formatNumber, number } from '../../lib/format'
import { messages } from '../../messages'
import { automationFigures } from './automation'

/** "Automations saved 69 h, worth $2,196, for $56.": the second question of the morning, under the headline. It keeps its place while nothing is known yet. */
export function AutomationLine({
  summary,
  sources,
}: {
  summary: Summary | undefined
  sources: string | null
}) {
  const figures = summary && automationFigures(summary, sources)
  if (summary && !figures) return null
  // In a sentence no cents of what is more than a handful.
  const money = (value: number | null) =>
    !figures || value === null
      ? null
      : value >= 10 && value < 10_000
        ? number(value, {
            ...moneyOptions(figures.currency),
            minimumFractionDigits: 0,
            maximumFractionDigits: 0,
          })
        : formatNumber(value, { unit: 'currency', currency: figures.currency })
  return (
    <p className="mt-2.5 min-h-7 text-small sm:ml-21 sm:text-body">
      {summary && figures && (
        <Link
          to={{ pathname: '/automation', search: figures.search }}
          className="inline-flex min-h-7 items-center underline decoration-transparent underline-offset-4 hover:decoration-line-strong"
        >
          {messages.brief.automations(
            formatNumber(figures.minutes, { unit: 'minutes' }),
            money(figures.worth),
            money(figures.cost),
          )}
        </Link>
      )}
    </p>
  )
}
