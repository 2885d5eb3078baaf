import type { GoalStanding } from '../api/types'

type Standing = Pick<GoalStanding, 'target' | 'value' | 'projected' | 'state'>

const fills: Partial<Record<Standing['state'], string>> = {
  off_track: 'bg-attention',
  missed: 'bg-attention',
  unknown: 'bg-line-strong',
}

/** How much of a target is there (filled) and where it is heading (the mark); the sentence beside it says the same. */
export function GoalBar({ standing }: { standing: Standing }) {
  const { target, value, projected, state } = standing
  if (target <= 0) return null
  // The target stands at four fifths, so that more than it can be seen.
  const at = (amount: number) => `${Math.min(100, Math.max(0, (amount / target) * 80))}%`
  return (
    <div aria-hidden="true" className="relative mt-2 h-2.5 rounded-full bg-sunken">
      <span
        className={`absolute inset-y-0 left-0 rounded-full ${fills[state] ?? 'bg-good'}`}
        style={{ width: at(value ?? 0) }}
      />
      {projected !== null && (
        <span
          className="absolute -inset-y-0.5 w-0.5 bg-line-strong"
          style={{ left: `calc(${at(projected)} - 2px)` }}
        />
      )}
      <span className="absolute -inset-y-1 left-[80%] w-0.5 bg-ink" />
    </div>
  )
}
