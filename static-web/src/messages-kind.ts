// What kind of number something is, in words; for the pages on which people define their own.
import type { Direction, Unit } from './api/types'

export const kind = {
  unit: 'Shown as',
  units: {
    count: 'Whole number (1,204)',
    number: 'Number with decimals',
    currency: 'Money',
    ratio: 'Per cent (0.25 is 25%)',
    minutes: 'Time, from minutes',
    seconds: 'Time, from seconds',
    milliseconds: 'Time, from milliseconds',
    score: 'Score from 0 to 100',
  } satisfies Record<Unit, string>,
  direction: 'What is good',
  directions: {
    up: 'More is better',
    down: 'Less is better',
    neutral: 'Neither',
  } satisfies Record<Direction, string>,
}
