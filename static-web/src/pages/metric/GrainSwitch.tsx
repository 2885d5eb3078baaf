import type { Grain } from '../../api/types'
import { tab } from '../../components/tab'
import { metric } from '../../messages-metric'

/** What one point of the chart is. */
export function GrainSwitch({
  value,
  onChange,
}: {
  value: Grain
  onChange: (grain: Grain) => void
}) {
  return (
    <div role="group" aria-label={metric.grainLabel} className="-mx-1.5 flex">
      {(['day', 'week', 'month'] as const).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === value}
          className={tab(one === value)}
          onClick={() => {
            onChange(one)
          }}
        >
          {metric.grain[one]}
        </button>
      ))}
    </div>
  )
}
