import type { Insights, Summary } from '../../api/types'

export interface Action {
  kind: 'reconnect' | 'source' | 'insight' | 'labour' | 'cost' | 'goal'
  /** Name of the source, or the insight's sentence. */
  name: string
  to: string
}

const most = 4

/** What could be done next, most urgent first; only what this person may do, and nothing that is done already. */
export function nextActions(
  summary: Summary,
  insights: Insights | undefined,
  may: (permission: string) => boolean,
): Action[] {
  const actions: Action[] = []
  if (may('manage_integrations'))
    for (const { status, displayName, integrationId } of summary.freshness) {
      const to = `/integrations/${integrationId}`
      if (status === 'reconnect_needed') actions.push({ kind: 'reconnect', name: displayName, to })
      else if (status === 'failing') actions.push({ kind: 'source', name: displayName, to })
    }
  const inBrief = new Set(insights?.brief.map((one) => one.insightId))
  for (const one of insights?.insights ?? [])
    if ((one.severity === 'trouble' || one.severity === 'attention') && !inBrief.has(one.id))
      actions.push({ kind: 'insight', name: one.text, to: one.path })
  const has = (key: string) => summary.kpis.some((kpi) => kpi.key === key)
  if (may('manage_settings') && has('automation.time_saved')) {
    if (!has('automation.value_saved'))
      actions.push({ kind: 'labour', name: '', to: '/settings/business' })
    else if (!has('automation.roi'))
      actions.push({ kind: 'cost', name: '', to: '/settings/business' })
  }
  if (may('manage_numbers') && summary.kpis.length > 0 && summary.kpis.every((kpi) => !kpi.goal))
    actions.push({ kind: 'goal', name: '', to: '/goals?new' })
  return actions.slice(0, most)
}
