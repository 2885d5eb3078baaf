import type { Grain } from '../../api/types'
import { useAddress, usePeriod, type Period } from '../../lib/range'

/** Days where they are few enough to see, then weeks, then months. */
export function usualGrain(days: number): Grain {
  return days <= 120 ? 'day' : days <= 400 ? 'week' : 'month'
}

const grains: readonly Grain[] = ['day', 'week', 'month']
export const isGrain = (text: string | null): text is Grain => grains.includes(text as Grain)

/** Period, comparison and grain, all in the address. */
export function useMetricAddress(): Period & {
  grain: Grain | null
  setGrain: (grain: Grain) => void
} {
  const [params, change] = useAddress()
  const grain = params.get('grain')
  return {
    ...usePeriod(),
    grain: isGrain(grain) ? grain : null,
    setGrain: (value) => {
      change({ grain: value })
    },
  }
}
