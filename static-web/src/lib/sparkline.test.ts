import { describe, expect, it } from 'vitest'
import type { DayStatus } from '../api/types'
import { missingRuns } from './gaps'
import { sparkPaths, thin } from './sparkline'

const moves = (path: string) => (path.match(/M/g) ?? []).length

describe('a sparkline', () => {
  it('is one line when every day is there and final', () => {
    const { solid, soft } = sparkPaths([1, 2, 3, 4])
    expect(moves(solid)).toBe(1)
    expect(soft).toBe('')
  })
  it('breaks at a missing day instead of bridging it or falling to zero', () => {
    const { solid } = sparkPaths([5, 6, null, 7, 8])
    expect(moves(solid)).toBe(2)
    expect(solid).not.toContain('50 ')
  })
  it('shows a day between two gaps as a dot', () => {
    const { solid } = sparkPaths([5, null, 6, null, 7, 8])
    expect(solid).toContain('h0')
  })
  it('draws steps to days that may still change softly', () => {
    const { solid, soft } = sparkPaths([1, 2, 3, 4], ['final', 'final', 'final', 'provisional'])
    expect(moves(solid)).toBe(1)
    expect(moves(soft)).toBe(1)
    expect(soft).toContain('M66.7')
  })
  it('ends where the data ends, not where the period does', () => {
    expect(sparkPaths([1, 2, null, null]).end?.x).toBeCloseTo(33.3)
    expect(sparkPaths([null, null]).end).toBeNull()
  })
  it('does not blow noise up to drama', () => {
    const { solid } = sparkPaths([1000, 1001, 1000, 1001])
    const ys = [...solid.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map((m) => Number(m[1]))
    expect(Math.max(...ys) - Math.min(...ys)).toBeLessThan(1)
  })
  it('stays inside its box', () => {
    const { solid, before } = sparkPaths([-5, 900, 3], [], [1200, -80, 0])
    for (const [, y] of `${solid}${before}`.matchAll(/[ML][\d.]+ (-?[\d.]+)/g)) {
      expect(Number(y)).toBeGreaterThanOrEqual(0)
      expect(Number(y)).toBeLessThanOrEqual(28)
    }
  })
})

describe('thinning a long series', () => {
  it('leaves a short one alone', () => {
    expect(thin([1, null, 3], ['final', 'missing', 'final'])).toEqual({
      values: [1, null, 3],
      status: ['final', 'missing', 'final'],
      size: 1,
    })
  })
  it('keeps a gap a gap and a provisional end provisional', () => {
    const values = Array.from({ length: 365 }, (_, i) => (i >= 100 && i < 150 ? null : 10))
    const status = values.map((v, i): DayStatus =>
      v === null ? 'missing' : i > 361 ? 'provisional' : 'final',
    )
    const out = thin(values, status)
    expect(out.values.length).toBeLessThanOrEqual(60)
    expect(out.values).toContain(null)
    expect(out.values.filter((v) => v !== null).every((v) => v === 10)).toBe(true)
    expect(out.status.at(-1)).toBe('provisional')
  })
})

it('names the runs of missing days', () => {
  const dates = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04', '2026-11-05']
  expect(missingRuns(dates, ['missing', 'final', 'final', 'missing', 'missing'])).toEqual([
    { from: '2026-11-01', to: '2026-11-01', days: 1, toEnd: false },
    { from: '2026-11-04', to: '2026-11-05', days: 2, toEnd: true },
  ])
})
