import type { Summary } from '../../api/types'
import { query } from '../../api/client'
import { formatNumber, type Precision } from '../../lib/format'
import { agrees, returnOf } from '../../lib/reckon'
import { later } from '../../messages-later'

/** The same days and sources on another page. */
export const searchOf = ({ from, to, compare }: Summary, sources: string | null) =>
  query({ from, to, compare, sources: sources ?? undefined })

/** What the automations of the period saved, what that is worth and what they cost; null where no time saved is known. */
export function automationFigures(summary: Summary, sources: string | null) {
  const kpi = (key: string) => summary.kpis.find((one) => one.key === key)
  const minutes = kpi('automation.time_saved')?.value ?? null
  if (minutes === null) return null
  const worth = kpi('automation.value_saved')
  const roi = kpi('automation.roi')?.value ?? null
  const value = worth?.value ?? null
  return {
    minutes,
    worth: value,
    // The return is (worth − cost) ÷ cost over the same days; of a worth of nothing it does not tell the cost. It comes rounded, and half a
    // cent less would make 133.50 a 133.
    cost:
      value !== null && roi !== null && roi > -1
        ? Math.round((value / (roi + 1)) * 100) / 100
        : null,
    roi,
    currency: worth?.currency ?? summary.currency,
    /** The days of these numbers: the automation page shows the same ones. */
    search: searchOf(summary, sources),
  }
}

/** The return with its arithmetic, short where that holds on a calculator and else as the automation page has it. */
export function returnInWords(
  worth: number,
  cost: number,
  roi: number,
  currency: string,
  locale?: string,
): string {
  const times = formatNumber(roi, { unit: 'times', locale })
  const money = (value: number, precision: Precision) =>
    formatNumber(value, { unit: 'currency', currency, locale }, precision)
  const holds = (precision: Precision) =>
    agrees(times, [money(worth, precision), money(cost, precision)], returnOf, locale)
  const precision = holds('card') ? 'card' : 'table'
  return later.overview.arithmetic(
    money(worth, precision),
    money(cost, precision),
    times,
    holds(precision),
  )
}
