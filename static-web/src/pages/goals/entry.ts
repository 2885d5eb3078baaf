import type { ShownUnit } from '../../lib/format'
import { parseAmount } from '../settings/words'

// People write 2.5 % and 40 hours; the API wants 0.025 and 2400 minutes.
const factors: Partial<Record<ShownUnit, number>> = { ratio: 0.01, minutes: 60, milliseconds: 1000 }

const tidy = (value: number) => Number(value.toPrecision(12))

/** A target as typed, in the API's unit; null for none, undefined for what is no number. */
export function targetOf(typed: string, unit: ShownUnit): number | null | undefined {
  const amount = parseAmount(typed.replace(/[%×h]\s*$/, ''))
  return typeof amount === 'number' ? tidy(amount * (factors[unit] ?? 1)) : amount
}

/** A target as it is entered. */
export const typedOf = (target: number, unit: ShownUnit): string =>
  String(tidy(target / (factors[unit] ?? 1)))
