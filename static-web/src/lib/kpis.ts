import type { Summary, SummaryKpi } from '../api/types'
import { messages } from '../messages'
import { daysBetween } from './dates'
import type { ShownUnit } from './format'
import { keepsWeekdays } from './range'

// The order of interest for the strip on top. A KPI that is not named here still shows, after those that are.
const headline = [
  'shop.revenue',
  'web.sessions',
  'web.conversion_rate',
  'automation.time_saved',
  'shop.transactions',
  'web.active_users',
  'automation.success_rate',
  'web.key_events',
  'web.engagement_rate',
  'web.page_views',
]

/** Two names for what is often the same: shown once where every day is equal, under the first. */
const doubles = [['web.active_users', 'web.total_users']] as const

/** Without what says the same as another number on each day. */
export function withoutDoubles(kpis: readonly SummaryKpi[]): SummaryKpi[] {
  const of = (key: string) => kpis.find((kpi) => kpi.key === key)
  const same = (a: SummaryKpi | undefined, b: SummaryKpi | undefined) =>
    a !== undefined &&
    b !== undefined &&
    a.value === b.value &&
    a.previous === b.previous &&
    a.sparkline.length === b.sparkline.length &&
    a.sparkline.every((value, i) => value === b.sparkline[i])
  const again = new Set<string>(
    doubles.filter(([first, second]) => same(of(first), of(second))).map(([, second]) => second),
  )
  return kpis.filter((kpi) => !again.has(kpi.key))
}

/** The KPIs of the strip: those the owner asks about first, and that have something to show. */
export function pickHeadline(
  all: readonly SummaryKpi[],
  count = 6,
  chosen: readonly string[] = [],
): SummaryKpi[] {
  // What the business itself put on top, in its order; whatever room is left has the usual ones.
  const pinned = chosen.flatMap((key) => all.find((kpi) => kpi.key === key) ?? []).slice(0, count)
  if (pinned.length > 0)
    return [
      ...pinned,
      ...pickHeadline(
        all.filter((kpi) => !pinned.includes(kpi)),
        count - pinned.length,
      ),
    ]
  const kpis = withoutDoubles(all)
  const rank = (kpi: SummaryKpi) => {
    const place = headline.indexOf(kpi.key)
    const base = place === -1 ? headline.length : place
    return kpi.status === 'not_measurable' || kpi.value === null ? base + 1000 : base
  }
  return [...kpis]
    .map((kpi, i) => ({ kpi, i, rank: rank(kpi) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .slice(0, count)
    .map(({ kpi }) => kpi)
}

/** A return is read as a multiple of its cost, though the catalogue counts it as a ratio. */
export const shownUnit = (kpi: Pick<SummaryKpi, 'key' | 'unit'>): ShownUnit =>
  kpi.key.endsWith('.roi') ? 'times' : kpi.unit

/** What an answer is compared with: "the 28 days before", "the same weekdays last year". */
export function beforeWords(of: Pick<Summary, 'range' | 'from' | 'to' | 'compare'>): string {
  if (of.compare === 'previous_year')
    return `the ${messages.lastYear(keepsWeekdays(of.range), daysBetween(of.from, of.to) + 1)}`
  return of.range === 'last_12_months'
    ? messages.yearBefore
    : messages.daysBefore(daysBetween(of.from, of.to) + 1)
}
