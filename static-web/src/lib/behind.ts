import type { Freshness } from '../api/types'
import { addDays } from './dates'

/** Google Analytics is complete half a day after a day's end, and is read once a day: more than this many days are not the usual wait. */
const usual = 3

/**
 * Whether a source has nothing newer though it is read on time: nobody visits, or nothing is measured any more.
 * @param today the day of the business
 */
export const isBehind = (
  {
    status,
    connector,
    completeThrough,
  }: Pick<Freshness, 'status' | 'connector' | 'completeThrough'>,
  today: string,
) =>
  status === 'ok' &&
  (connector === 'google-analytics' || connector === 'n8n') &&
  completeThrough !== null &&
  completeThrough < addDays(today, -usual)
