import type { Freshness, Summary } from '../../api/types'
import { addDays, clock, dayName } from '../../lib/dates'
import { sources } from '../../messages-sources'

const marks: Record<Freshness['status'], string> = {
  ok: 'bg-good',
  syncing: 'bg-accent',
  late: 'bg-attention',
  reconnect_needed: 'bg-trouble',
  failing: 'bg-trouble',
  paused: 'bg-line-strong',
  never_synced: 'bg-line-strong',
}

/** Each source with its three clocks, and what is the matter with it. */
export function FreshList({ summary }: { summary: Summary }) {
  return (
    <section aria-labelledby="fresh">
      <h2 id="fresh" className="text-lead font-semibold">
        {sources.title}
      </h2>
      {summary.freshness.length === 0 && (
        <p className="mt-2 text-small text-muted">{sources.none}</p>
      )}
      <ul className="mt-1">
        {summary.freshness.map((source) => {
          const behind = source.silent
          const why =
            source.message ??
            (behind && source.completeThrough
              ? sources.explain.behind(dayName(addDays(source.completeThrough, 1)))
              : sources.explain[source.status])
          const clocks = [
            [
              sources.clocks.fetched,
              source.fetchedAt && clock(source.fetchedAt, summary.timeZone, new Date()),
            ],
            [sources.clocks.complete, source.completeThrough && dayName(source.completeThrough)],
            [sources.clocks.final, source.finalThrough && dayName(source.finalThrough)],
          ] as const
          return (
            <li key={source.integrationId} className="border-b border-line py-3 last:border-b-0">
              <p className="flex items-baseline justify-between gap-3">
                <span className="font-semibold">{source.displayName}</span>
                <span className="inline-flex items-center gap-1.5 text-small whitespace-nowrap text-muted">
                  <span
                    aria-hidden="true"
                    className={`size-1.5 rounded-full ${behind ? marks.late : marks[source.status]}`}
                  />
                  {sources.status[behind ? 'behind' : source.status]}
                </span>
              </p>
              {why && <p className="mt-0.5 text-small text-muted">{why}</p>}
              <dl className="num mt-1 text-small">
                {clocks.map(([name, at]) => (
                  <div key={name} className="flex justify-between gap-4">
                    <dt className="text-muted">{name}</dt>
                    <dd>{at ?? sources.never}</dd>
                  </div>
                ))}
              </dl>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
