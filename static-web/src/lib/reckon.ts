// Arithmetic that is printed must hold on a calculator: with the numbers as they are shown.
import { locale as own } from './locale'

/** The number that a text shows and its decimals; null where it is shortened and nobody can reckon with it. */
export function readNumber(
  shown: string,
  locale = own,
): { value: number; decimals: number } | null {
  const parts = new Intl.NumberFormat(locale).formatToParts(1234567.8)
  const point = parts.find((part) => part.type === 'decimal')?.value ?? '.'
  const digits = [...new Intl.NumberFormat(locale, { useGrouping: false }).format(9876543210)]
    .reverse()
    .join('')
  let text = ''
  for (const sign of shown) {
    const digit = digits.indexOf(sign)
    if (digit >= 0) text += digit
    else if (sign === point && text !== '' && !text.includes('.')) text += '.'
    else if (/[kKMB]/.test(sign) && text !== '') return null
  }
  const [whole = '', behind = ''] = text.split('.')
  if (whole === '') return null
  const value = Number(`${whole}.${behind || '0'}`)
  return { value: /[-−]/.test(shown) ? -value : value, decimals: behind.length }
}

/** Whether a result, as it is shown, is what the shown numbers give. */
export function agrees(
  result: string,
  operands: readonly string[],
  reckon: (...values: number[]) => number,
  locale = own,
): boolean {
  const told = readNumber(result, locale)
  const read = operands.map((one) => readNumber(one, locale))
  if (!told || read.some((one) => one === null)) return false
  const reckoned = reckon(...read.map((one) => one?.value ?? 0))
  return Math.abs(reckoned - told.value) <= 0.5 / 10 ** told.decimals + 1e-9
}

/** What the automations gave back for what they cost. */
export const returnOf = (worth: number, cost: number) => (worth - cost) / cost
