import { useState } from 'react'
import { Link } from 'react-router'
import type { Insights } from '../../api/types'
import { Skeleton } from '../../components/Skeleton'
import { dayName } from '../../lib/dates'
import { messages } from '../../messages'

type Sentence = Insights['brief'][number]

export const marks: Record<Sentence['severity'], string> = {
  good: 'bg-good',
  info: 'bg-line-strong',
  attention: 'bg-attention',
  trouble: 'bg-trouble',
}

const text = messages.brief
const phoneLines = 1
// On a phone the first sentence of each of the first two stands, whole, in the room that is kept for them; the rest waits for the button.
const box = 'flex min-h-42 max-w-[46rem] flex-col sm:min-h-32 sm:flex-row sm:gap-5 lg:min-h-36'
const tile =
  'num grid size-11 shrink-0 place-items-center rounded border text-lead font-semibold sm:size-16 sm:text-big'

/** How the business does, and what changed, before any chart. Each sentence leads to what it rests on. */
export function Brief({ insights, search }: { insights: Insights; search: string }) {
  const [all, setAll] = useState(false)
  const { healthScore: health, brief } = insights
  const [lead, ...rest] = brief
  const hidden = rest.length - phoneLines
  const more = hidden > 0 || brief.some((one) => one.text.search(/\.\s/) !== -1)
  const day = insights.range === 'custom' ? dayName(health.asOf) : null
  const score = health.score === null ? messages.notMeasurable : String(health.score)
  const standing =
    text.health(score, health.word, health.without, day) +
    (health.change === null ? '' : text.healthMoved(health.change, health.moved?.name))
  return (
    <section aria-label={text.title} className={box}>
      <Link
        to={{ pathname: '/insights', search }}
        className="group flex items-center gap-3 sm:items-start"
      >
        <span className={`${tile} border-line-strong bg-surface group-hover:border-ink`}>
          {score}
        </span>
        <span className="text-small text-muted group-hover:text-ink sm:sr-only">
          {health.score === null ? health.why : standing}
        </span>
      </Link>
      <div className="min-w-0 flex-1">
        <p aria-hidden="true" className="text-small text-muted max-sm:hidden">
          {health.score === null ? health.why : standing}
        </p>
        <p className="mt-1 font-semibold sm:mt-0 sm:text-lead">
          {lead ? <Line of={lead} search={search} split short={!all} /> : text.quiet}
        </p>
        {rest.length > 0 && (
          <ul className="mt-1 sm:mt-1.5">
            {rest.map((one, i) => (
              <li
                key={one.text}
                className={`relative pl-4 text-small sm:text-body ${all || i < phoneLines ? '' : 'max-sm:hidden'}`}
              >
                <span
                  aria-hidden="true"
                  className={`absolute top-[0.5em] left-0 size-1.5 rounded-full sm:top-[0.6em] ${marks[one.severity]}`}
                />
                <Line of={one} search={search} split short={!all} />
              </li>
            ))}
          </ul>
        )}
        {more && !all && (
          <button
            type="button"
            className="tap relative -my-2 pl-4 text-left text-small text-accent sm:hidden"
            onClick={() => {
              setAll(true)
            }}
          >
            {hidden > 0 ? text.more(hidden) : text.all}
          </button>
        )}
      </div>
    </section>
  )
}

/** A sentence as a link. What follows its first full stop waits for the button on a phone; of the first it is quieter, too. */
function Line({
  of,
  search,
  split = false,
  short = false,
}: {
  of: Sentence
  search: string
  split?: boolean
  short?: boolean
}) {
  const end = split ? of.text.search(/\.\s/) + 1 : 0
  return (
    <Link
      to={{ pathname: of.path, search }}
      className="underline decoration-transparent underline-offset-4 hover:decoration-line-strong"
    >
      {end > 0 ? (
        <>
          {of.text.slice(0, end)}
          <span className={`text-small font-normal sm:text-body ${short ? 'max-sm:hidden' : ''}`}>
            {of.text.slice(end)}
          </span>
        </>
      ) : (
        of.text
      )}
    </Link>
  )
}

/** While it is on its way; or, with what went wrong, in its place: the numbers below stand by themselves. */
export function BriefSkeleton() {
  return (
    <div className={box}>
      <Skeleton className="size-11 shrink-0 sm:size-16" />
      <div className="flex-1">
        <Skeleton className="mt-1 h-5 w-4/5 sm:h-6" />
        <Skeleton className="mt-3 h-4 w-3/5" />
        <Skeleton className="mt-2 h-4 w-2/5" />
      </div>
    </div>
  )
}
