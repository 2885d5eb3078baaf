import type { DayStatus } from '../api/types'
import { sparkPaths, thin } from '../lib/sparkline'

interface Props {
  values: readonly (number | null)[]
  status: readonly DayStatus[]
  comparison?: readonly (number | null)[]
  className?: string
}

/** The shape of a series, and nothing else: the numbers are beside it and in the chart's table. */
export function Sparkline({ values, status, comparison = [], className = '' }: Props) {
  const now = thin(values, status)
  const before = thin(comparison.slice(0, values.length), [])
  const paths = sparkPaths(now.values, now.status, before.values)
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 100 28"
      preserveAspectRatio="none"
      className={`block h-7 w-full overflow-visible fill-none ${className}`}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path
        d={paths.before}
        className="stroke-before opacity-60"
        strokeWidth="1"
        strokeDasharray="2 3"
        vectorEffect="non-scaling-stroke"
      />
      <path
        d={paths.solid}
        className="stroke-accent"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
      <path
        d={paths.soft}
        className="stroke-accent opacity-70"
        strokeWidth="1.5"
        strokeDasharray="3 3"
        vectorEffect="non-scaling-stroke"
      />
      {paths.end && (
        <path
          d={`M${paths.end.x} ${paths.end.y}h0`}
          className="stroke-accent"
          strokeWidth="5"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  )
}
