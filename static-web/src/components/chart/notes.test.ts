import { describe, expect, it } from 'vitest'
import type { Annotation } from '../../api/types'
import { missingRuns } from '../../lib/gaps'
import { lastDayOf, notesAt, notesOf, spanIn, unusualOf } from './notes'

const annotation = (over: Partial<Annotation>): Annotation => ({
  id: null,
  kind: 'gap',
  from: '2026-11-03',
  to: '2026-11-05',
  text: 'No data.',
  kpis: [],
  author: null,
  createdAt: null,
  ...over,
})

describe('notes of a chart', () => {
  it('are those about its KPI and those about none in particular', () => {
    const notes = notesOf(
      [
        annotation({ text: 'all' }),
        annotation({ text: 'mine', kpis: ['web.sessions'] }),
        annotation({ text: 'other', kpis: ['shop.revenue'] }),
        annotation({ text: 'written', kind: 'note', id: 'a', author: 'Anna' }),
      ],
      (kpi) => kpi === 'web.sessions',
    )
    expect(notes.map(({ text, kind, by }) => [text, kind, by])).toEqual([
      ['all', 'system', null],
      ['mine', 'system', null],
      ['written', 'note', 'Anna'],
    ])
  })

  it('stand at every day they reach over, and at the weeks and months of those days', () => {
    const [note] = notesOf([annotation({})], () => true)
    if (!note) throw new Error('There is a note.')
    const on = (dates: string[], grain: 'day' | 'week' | 'month') =>
      notesAt([note], dates, grain).map((some) => some.length)
    expect(on(['2026-11-02', '2026-11-03', '2026-11-05', '2026-11-06'], 'day')).toEqual([
      0, 1, 1, 0,
    ])
    expect(on(['2026-10-26', '2026-11-02', '2026-11-09'], 'week')).toEqual([0, 1, 0])
    expect(on(['2026-10-01', '2026-11-01', '2026-12-01'], 'month')).toEqual([0, 1, 0])
  })

  it('know the last day of a month, a leap February too', () => {
    expect(lastDayOf('2028-02-01', 'month')).toBe('2028-02-29')
    expect(lastDayOf('2026-12-01', 'month')).toBe('2026-12-31')
    expect(lastDayOf('2026-12-28', 'week')).toBe('2027-01-03')
  })

  it('count the days of weeks and months without data, not their points', () => {
    const weeks = ['2026-10-25', '2026-11-01', '2026-11-08']
    const days = { from: '2026-10-28', to: '2026-11-10' }
    const gaps = (status: ('missing' | 'final')[], within?: typeof days) =>
      missingRuns(weeks, status, (day) => spanIn(day, 'week', within))
    expect(gaps(['missing', 'missing', 'final'])).toEqual([
      { from: '2026-10-25', to: '2026-11-07', days: 14, toEnd: false },
    ])
    expect(gaps(['missing', 'final', 'missing'], days)).toEqual([
      { from: '2026-10-28', to: '2026-10-31', days: 4, toEnd: false },
      { from: '2026-11-08', to: '2026-11-10', days: 3, toEnd: true },
    ])
    expect(
      missingRuns(['2028-01-01', '2028-02-01'], ['missing', 'missing'], (day) =>
        spanIn(day, 'month', { from: '2028-01-10', to: '2028-02-29' }),
      ),
    ).toEqual([{ from: '2028-01-10', to: '2028-02-29', days: 51, toEnd: true }])
  })

  it('single out the day of an anomaly, and not what it is compared with', () => {
    const proof = (from: string, to: string, kpi: string | null = 'web.sessions') => ({
      label: 'Sessions',
      kpi,
      from,
      to,
      value: 4,
      shown: '4',
    })
    const day = '2026-11-03'
    expect(
      unusualOf(
        [
          {
            rule: 'anomaly',
            text: 'One day.',
            evidence: [proof('2026-10-01', '2026-10-31'), proof(day, day)],
          },
          { rule: 'anomaly', text: 'Another.', evidence: [proof(day, day, 'shop.revenue')] },
          { rule: 'restated', text: 'Restated.', evidence: [proof(day, day)] },
        ],
        'web.sessions',
      ),
    ).toEqual([{ kind: 'unusual', from: day, to: day, text: 'One day.', by: null, id: null }])
  })
})
