import { describe, expect, it } from 'vitest'
import type { Insight, Insights } from '../../api/types'
import { chartOf, termsOf } from './arithmetic'
import { moved } from './queries'

const insight = (id: string, state: Insight['state'] = 'open') =>
  ({ id, state, until: null }) as Insight
const answer = (open: string[], aside: string[]) =>
  ({
    insights: open.map((id) => insight(id)),
    setAside: aside.map((id) => insight(id, 'dismissed')),
    brief: open.map((id) => ({ insightId: id })),
  }) as Insights
const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id)

describe('putting an insight aside', () => {
  it('takes it out of the list and the brief at once', () => {
    const next = moved(answer(['a', 'b'], []), 'a', { state: 'snoozed', until: '2026-11-29' })
    expect(ids(next.insights)).toEqual(['b'])
    expect(next.setAside).toEqual([{ id: 'a', state: 'snoozed', until: '2026-11-29' }])
    expect(next.brief.map((one) => one.insightId)).toEqual(['b'])
  })
  it('brings it back open, and does nothing with what is not there', () => {
    const next = moved(answer(['a'], ['b']), 'b', { state: 'open' })
    expect(ids(next.insights)).toEqual(['a', 'b'])
    expect(next.insights[1]?.state).toBe('open')
    expect(next.setAside).toEqual([])
    const same = answer(['a'], [])
    expect(moved(same, 'x', { state: 'dismissed' })).toBe(same)
  })
})

describe('the arithmetic of the score', () => {
  it('holds the parts that count', () => {
    expect(
      termsOf(
        [
          { score: 88, weight: 0.3 },
          { score: null, weight: 0 },
          { score: 100, weight: 0.7 },
        ],
        'en-GB',
      ),
    ).toEqual(['30%\u00a0×\u00a088', '70%\u00a0×\u00a0100'])
  })
})

describe('evidence', () => {
  it('leads to the chart of its days, and a single day to the chart around it', () => {
    expect(chartOf({ kpi: 'web.sessions', from: '2026-11-01', to: '2026-11-07' })).toBe(
      '/metrics/web.sessions?from=2026-11-01&to=2026-11-07',
    )
    expect(chartOf({ kpi: 'web.sessions', from: '2026-11-07', to: '2026-11-07' })).toBe(
      '/metrics/web.sessions',
    )
    expect(chartOf({ kpi: null, from: null, to: null })).toBeNull()
  })
})
