import type { Annotation, Grain, Insight } from '../../api/types'
import { addDays } from '../../lib/dates'

/** What is marked on a chart: what a person wrote, what the system found about days, and values out of the ordinary. */
export interface ChartNote {
  kind: 'note' | 'system' | 'unusual'
  from: string
  to: string
  text: string
  by: string | null
  /** Of what a person wrote. */
  id: string | null
}

/** The last day of a point that is named by its first. */
export function lastDayOf(day: string, grain: Grain): string {
  if (grain === 'day') return day
  if (grain === 'week') return addDays(day, 6)
  const [year = 0, month = 1] = day.split('-').map(Number)
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10)
}

/** The days that a point stands for, of those that the chart is about. */
export function spanIn(day: string, grain: Grain, days?: { from: string; to: string }) {
  const last = lastDayOf(day, grain)
  return {
    from: days && day < days.from ? days.from : day,
    to: days && last > days.to ? days.to : last,
  }
}

/** The notes that concern a KPI; those about no KPI in particular concern all. */
export function notesOf(
  annotations: readonly Annotation[],
  concerns: (kpi: string) => boolean,
): ChartNote[] {
  return annotations
    .filter(({ kpis }) => kpis.length === 0 || kpis.some(concerns))
    .map(({ kind, from, to, text, author, id }) => ({
      kind: kind === 'note' ? 'note' : 'system',
      from,
      to,
      text,
      by: author,
      id,
    }))
}

/** The days that the anomaly rule found out of the ordinary, as its evidence about the KPI has them. */
export function unusualOf(
  insights: readonly Pick<Insight, 'rule' | 'text' | 'evidence'>[],
  kpi: string,
): ChartNote[] {
  return insights.flatMap(({ rule, text, evidence }) => {
    const found = evidence.find(
      (one) => one.kpi === kpi && one.from !== null && one.from === one.to,
    )
    return rule === 'anomaly' && found?.from
      ? [{ kind: 'unusual' as const, from: found.from, to: found.from, text, by: null, id: null }]
      : []
  })
}

/** For each point of a chart, the notes on its days. */
export function notesAt(
  notes: readonly ChartNote[],
  dates: readonly string[],
  grain: Grain,
): ChartNote[][] {
  return dates.map((day) => {
    const last = lastDayOf(day, grain)
    return notes.filter((note) => note.from <= last && note.to >= day)
  })
}
