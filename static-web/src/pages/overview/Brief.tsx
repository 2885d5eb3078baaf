import { useState } from 'react'
import { Skeleton } from '../../components/Skeleton'
import type { BriefLine } from '../../lib/brief'
import { messages } from '../../messages'

const marks: Record<BriefLine['tone'], string> = {
  good: 'bg-good',
  bad: 'bg-attention',
  plain: 'bg-line-strong',
  attention: 'bg-attention',
  trouble: 'bg-trouble',
}

const phoneLines = 2

/** What changed, before any chart. A sentence that rests on a number leads to it. */
export function Brief({
  lines,
  onPick,
}: {
  lines: readonly BriefLine[]
  onPick: (kpi: string) => void
}) {
  const [all, setAll] = useState(false)
  const [lead, ...rest] = lines
  if (!lead) return null
  const hidden = rest.length - phoneLines
  return (
    <section aria-label={messages.brief.title} className="min-h-28 max-w-[44rem] lg:min-h-20">
      <p className="text-lead font-semibold sm:text-big sm:tracking-[-0.01em]">
        <Line line={lead} onPick={onPick} />
      </p>
      {rest.length > 0 && (
        <ul className="mt-1.5 sm:mt-2">
          {rest.map((line, i) => (
            <li
              key={line.text}
              className={`relative pl-4 text-small sm:text-body ${!all && i >= phoneLines ? 'max-sm:hidden' : ''}`}
            >
              <span
                aria-hidden="true"
                className={`absolute top-[0.5em] left-0 size-1.5 rounded-full sm:top-[0.6em] ${marks[line.tone]}`}
              />
              <Line line={line} onPick={onPick} />
            </li>
          ))}
        </ul>
      )}
      {hidden > 0 && !all && (
        <button
          type="button"
          className="tap -my-2 pl-4 text-left text-small text-accent sm:hidden"
          onClick={() => {
            setAll(true)
          }}
        >
          {messages.brief.more(hidden)}
        </button>
      )}
    </section>
  )
}

function Line({ line, onPick }: { line: BriefLine; onPick: (kpi: string) => void }) {
  const { kpi } = line
  if (kpi === null) return line.text
  return (
    <button
      type="button"
      className="text-left underline decoration-transparent underline-offset-4 hover:decoration-line-strong"
      onClick={() => {
        onPick(kpi)
      }}
    >
      {line.text}
    </button>
  )
}

export function BriefSkeleton() {
  return (
    <div className="min-h-28 max-w-[44rem] lg:min-h-20">
      <Skeleton className="mt-1 h-6 w-4/5 sm:h-7" />
      <Skeleton className="mt-3 h-4 w-3/5" />
      <Skeleton className="mt-2 h-4 w-2/5" />
    </div>
  )
}
