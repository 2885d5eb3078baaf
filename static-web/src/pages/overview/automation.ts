import type { Summary } from '../../api/types'
import { query } from '../../api/client'

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
    // The return is (worth − cost) ÷ cost over the same days; of a worth of nothing it does not tell the cost.
    cost: value !== null && roi !== null && roi > -1 ? value / (roi + 1) : null,
    roi,
    currency: worth?.currency ?? summary.currency,
    /** The days of these numbers: the automation page shows the same ones. */
    search: searchOf(summary, sources),
  }
}
