import type { Summary } from '../../api/types'
import { clock, dayName } from '../../lib/dates'
import { messages } from '../../messages'

const earliest = (values: (string | null)[]) =>
  values.filter((v): v is string => v !== null).sort()[0] ?? null

/** How fresh the page is, in one quiet line: what holds for every source; or that it is a saved copy. */
export function FreshLine({ summary, saved }: { summary: Summary; saved: string | null }) {
  const through = earliest(summary.freshness.map((f) => f.completeThrough))
  const fetched = earliest(summary.freshness.map((f) => f.fetchedAt))
  const words =
    saved !== null
      ? messages.fresh.snapshot(saved)
      : fetched === null
        ? messages.fresh.never
        : [
            through && messages.fresh.through(dayName(through)),
            messages.fresh.fetched(clock(fetched, summary.timeZone, new Date())),
          ]
            .filter(Boolean)
            .join(' · ')
  return <p className="num mt-2 text-small text-muted lg:mt-4">{words}</p>
}
