import { describe, expect, it } from 'vitest'
import type { AutomationPerformance } from '../api/types'
import { automationNotes, automationSentence, sortWorkflows } from './automation'

const totals = {
  executions: 800,
  succeeded: 780,
  failed: 20,
  successRate: 0.975,
  averageDurationMs: 2000,
  timeSavedMinutes: 2460,
  valueSaved: 1640,
  cost: 99,
  roi: 15.57,
  paybackDays: 1.7,
  lostMinutes: 60,
  lostValue: 40,
  medianDurationMs: null,
}
const data = (
  over: Partial<AutomationPerformance['totals']> = {},
  rest: Partial<AutomationPerformance> = {},
): AutomationPerformance => ({
  range: 'last_28_days',
  from: '2026-10-25',
  to: '2026-11-21',
  compareNote: null,
  compareFrom: null,
  compareTo: null,
  compare: 'none',
  isDemo: false,
  connected: true,
  hourlyLabourCost: 40,
  automationCostPerMonth: 99,
  freshness: [],
  timeZone: 'UTC',
  currency: 'USD',
  status: 'final',
  measurableFrom: null,
  totals: { ...totals, ...over },
  previous: null,
  changes: [],
  workflows: [],
  trendStepDays: 1,
  daily: [],
  leftOut: [],
  canceled: 0,
  running: 0,
  waiting: 0,
  ...rest,
})
const say = (over?: Partial<AutomationPerformance['totals']>) =>
  automationSentence(data(over), 'en-US').replaceAll('\u00a0', ' ')

describe('the sentence on automations', () => {
  it('sets what they are worth against what they cost', () => {
    expect(say()).toBe(
      'Automations saved 41 h in the last 28 days, worth $1,640 against a cost of $99.00: a return of 15.6×, that is ($1,640 − $99.00) ÷ $99.00.',
    )
  })
  it("names days of one's own", () => {
    const own = (from: string, to: string) =>
      automationSentence(data({ valueSaved: null }, { range: 'custom', from, to }), 'en-GB')
    expect(own('2026-11-01', '2026-11-12')).toMatch(
      /^Automations saved 41\sh during 1\s?–\s?12 Nov 2026\.$/,
    )
    expect(own('2026-11-12', '2026-11-12')).toMatch(/^Automations saved 41\sh on Thu,? 12 Nov\.$/)
  })
  it('says when they cost more than they give', () => {
    expect(say({ valueSaved: 49.5, roi: -0.5 })).toContain(
      'a return of -0.5×, less than they cost, that is',
    )
  })
  it('says about where the printed amounts come to another return', () => {
    expect(say({ valueSaved: 1640.4, cost: 1.004, roi: 1632.9 })).toContain(
      'a return of about 1,633×',
    )
  })
  it('compares the time saved as the overview does: on the days that both have, and never on others', () => {
    const change = {
      key: 'automation.time_saved',
      unit: 'minutes',
      direction: 'up',
      value: 2460,
      previous: 1000,
      change: null,
      changeWithheld: 'previous_partial',
      byChance: false,
    } as const
    const notes = (alike: AutomationPerformance['changes'][number]['alike']) =>
      automationNotes(
        data({}, { compare: 'previous_period', previous: totals, changes: [{ ...change, alike }] }),
        'en-US',
      ).map((note) => note.replaceAll('\u00a0', ' '))
    expect(notes(null)).toEqual([])
    expect(notes({ days: 20, value: 1800, previous: 1200, change: 0.5, byChance: false })).toEqual([
      'That is 10 h more than the same weekdays of the 28 days before, over the 20 days that both have.',
    ])
  })
  it('leaves out what is not known instead of guessing', () => {
    expect(say({ cost: null, roi: null })).toBe(
      'Automations saved 41 h in the last 28 days, worth $1,640.',
    )
    expect(say({ timeSavedMinutes: null, valueSaved: null })).toBe(
      'Time saved cannot be measured for this period.',
    )
  })
  it('tells from which day runs can be counted, and compares only whole periods', () => {
    const notes = automationNotes(
      data(
        {},
        {
          compare: 'previous_period',
          measurableFrom: '2026-11-01',
          status: 'partial',
          previous: totals,
        },
      ),
      'en-GB',
    )
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatch(/from Sun,? 1 Nov on; earlier days are unknown, not zero/)
  })
})

describe('what stands beside the totals', () => {
  const leftOut = (name: string, reason: 'successes_not_kept' | 'not_shown', failed = 0) => ({
    id: name,
    name,
    reason,
    days: 3,
    failed,
  })
  const notes = (
    rest: Partial<AutomationPerformance>,
    over: Partial<AutomationPerformance['totals']> = {},
  ) => automationNotes(data(over, rest), 'en-GB').map((note) => note.replaceAll('\u00a0', ' '))
  it('names what is left out, and why', () => {
    expect(notes({ leftOut: [leftOut('Orders', 'successes_not_kept', 9)] })).toEqual([
      'Left out: “Orders”. n8n does not keep its successes, so its runs cannot be counted. 9 failures are known and left out, too.',
    ])
    expect(
      notes({
        leftOut: [
          leftOut('A', 'successes_not_kept'),
          ...['B', 'C', 'D', 'E', 'F'].map((name) => leftOut(name, 'not_shown')),
        ],
      }),
    ).toEqual([
      'Left out: “A”. n8n does not keep its successes, so its runs cannot be counted.',
      'Left out: “B”, “C”, “D” and 2 more. n8n no longer shows them to our key.',
    ])
  })
  it('tells runs that did not finish apart', () => {
    expect(notes({ canceled: 3, running: 1, waiting: 2 })).toEqual([
      'Not among the runs: 3 cancelled, 1 running now and 2 waiting now.',
    ])
    expect(notes({ waiting: 1 })).toEqual(['Not among the runs: 1 waiting now.'])
  })
  it('says so where a few long runs make the average', () => {
    expect(notes({}, { averageDurationMs: 3_600_000, medianDurationMs: 2000 })[0]).toMatch(
      /^Half of the runs took 2\.?0? ?s or less\./,
    )
    expect(notes({}, { averageDurationMs: 3000, medianDurationMs: 2000 })).toEqual([])
  })
  it('shows a copy that was saved before these were told', () => {
    const old = data() as Partial<AutomationPerformance>
    delete old.leftOut
    delete old.canceled
    expect(automationNotes(old as AutomationPerformance, 'en-GB')).toEqual([])
  })
})

it('sorts unknown values last in both directions', () => {
  const flow = (name: string, timeSavedMinutes: number | null) => ({
    ...totals,
    id: name,
    name,
    active: true,
    timeSavedPerExecution: 1,
    timeSavedMinutes,
    previous: null,
    trend: [],
    failedTrend: [],
    integrationId: 'i',
    tags: [],
    projectId: null,
    project: null,
    durationTrend: [],
    canceled: 0,
    gone: false,
    shown: true,
  })
  const flows = [flow('a', null), flow('b', 5), flow('c', 9)]
  expect(sortWorkflows(flows, 'timeSavedMinutes', true).map((f) => f.name)).toEqual(['c', 'b', 'a'])
  expect(sortWorkflows(flows, 'timeSavedMinutes', false).map((f) => f.name)).toEqual([
    'b',
    'c',
    'a',
  ])
})
