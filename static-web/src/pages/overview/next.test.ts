import { describe, expect, it } from 'vitest'
import type { Freshness, Insights, Summary, SummaryKpi } from '../../api/types'
import { nextActions } from './next'

const kpi = (key: string, goal: SummaryKpi['goal'] = null) => ({ key, goal }) as SummaryKpi
const source = (status: Freshness['status']) =>
  ({ status, displayName: 'Google Analytics', integrationId: 'i' }) as Freshness
const summary = (kpis: SummaryKpi[], freshness: Freshness[] = []) =>
  ({ kpis, freshness }) as Summary
const all = () => true
const insight = (id: string, severity: Insights['insights'][number]['severity']) =>
  ({ id, severity, text: `About ${id}.`, path: '/automation' }) as Insights['insights'][number]
const insights = (list: Insights['insights'], inBrief: string[]) =>
  ({ insights: list, brief: inBrief.map((id) => ({ insightId: id })) }) as Insights
const kinds = (...what: Parameters<typeof nextActions>) =>
  nextActions(...what).map(({ kind }) => kind)

describe('what to do next', () => {
  it('begins with a source that must be connected again, and leads to it', () => {
    const [first] = nextActions(
      summary([kpi('web.sessions')], [source('reconnect_needed')]),
      undefined,
      all,
    )
    expect(first).toEqual({ kind: 'reconnect', name: 'Google Analytics', to: '/integrations/i' })
  })

  it('repeats nothing of the brief, and nothing that is only good to know', () => {
    const actions = nextActions(
      summary([]),
      insights([insight('a', 'trouble'), insight('b', 'attention'), insight('c', 'info')], ['a']),
      all,
    )
    expect(actions.map(({ name }) => name)).toEqual(['About b.'])
  })

  it('asks for the settings that money needs, one after the other, and for a first goal', () => {
    const saved = kpi('automation.time_saved')
    const value = kpi('automation.value_saved')
    expect(kinds(summary([saved]), undefined, all)).toEqual(['labour', 'goal'])
    expect(kinds(summary([saved, value]), undefined, all)).toEqual(['cost', 'goal'])
    const goal = { id: 'g' } as SummaryKpi['goal']
    expect(kinds(summary([saved, value, kpi('automation.roi', goal)]), undefined, all)).toEqual([])
  })

  it('offers nothing that this person may not do', () => {
    expect(
      kinds(summary([kpi('automation.time_saved')], [source('failing')]), undefined, () => false),
    ).toEqual([])
  })
})
