import { query } from '../../api/client'
import type { HealthPart } from '../../api/types'
import { formatPercent } from '../../lib/format'
import { readNumber } from '../../lib/reckon'

/** "30% × 88" on one line, for each part that counts. */
export const termsOf = (parts: readonly Pick<HealthPart, 'score' | 'weight'>[], locale?: string) =>
  parts.flatMap(({ score, weight }) =>
    score === null || weight === 0 ? [] : [`${formatPercent(weight, locale)}\u00a0×\u00a0${score}`],
  )

/** Whether the terms as they are printed come to the score. */
export const holds = (
  parts: readonly Pick<HealthPart, 'score' | 'weight'>[],
  score: number,
): boolean => {
  const printed = parts.flatMap(({ score: points, weight }) =>
    points === null || weight === 0
      ? []
      : [(readNumber(formatPercent(weight))?.value ?? 0) * points],
  )
  return Math.abs(printed.reduce((sum, one) => sum + one, 0) / 100 - score) <= 0.5 + 1e-9
}

/** Where a sentence of evidence can be looked at: the chart of its KPI over its days. */
export function chartOf(
  proof: { kpi: string | null; from: string | null; to: string | null },
  sources: string | null = null,
): string | null {
  if (proof.kpi === null) return null
  // A day alone has no shape: the four weeks that end with it.
  const days =
    proof.from && proof.to && proof.from !== proof.to ? { from: proof.from, to: proof.to } : {}
  return `/metrics/${proof.kpi}${query({ ...days, sources: sources ?? undefined })}`
}
