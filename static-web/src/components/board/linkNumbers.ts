import type { SharedDashboard } from '../../api/types'
import type { BoardNumbers } from './TileBody'

/** The numbers of a dashboard that is seen through a link. A copy that was saved before tiles could be narrowed tells of no parts. */
export function linkNumbers(data: SharedDashboard): BoardNumbers {
  const { sources, parts } = data as Partial<SharedDashboard>
  return {
    summary: data.summary,
    automation: data.automation ?? undefined,
    link: true,
    sources: sources ?? [],
    parts: new Map(
      (parts ?? []).map((part) => [
        [...part.sources].sort().join(','),
        { summary: part.summary, automation: part.automation ?? undefined },
      ]),
    ),
  }
}
