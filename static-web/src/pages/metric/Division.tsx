import { useState } from 'react'
import type { Compare, SummaryKpi } from '../../api/types'
import { Bars } from '../../components/breakdown/Bars'
import { notesOn } from '../../lib/breakdown'
import { fullDay } from '../../lib/dayNames'
import { useIdentity } from '../../lib/session'
import { breakdown as text } from '../../messages-breakdown'
import type { useDivision } from '../analytics/address'
import { useBreakdown } from '../analytics/queries'
import type { Span } from '../../lib/range'

interface Props {
  kpi: SummaryKpi
  span: Span
  compare: Compare
  before: string
  division: ReturnType<typeof useDivision>
}

/** What the number is made of, by one dimension at a time. */
export function Division({ kpi, span, compare, before, division }: Props) {
  const { tenant } = useIdentity()
  const [all, setAll] = useState(false)
  const { dimension, only } = division
  const query = useBreakdown(tenant.id, kpi.key, dimension, span, compare, all ? 50 : 10)
  const { data } = query
  return (
    <section aria-labelledby="division" className="mt-8">
      <div className="flex flex-wrap items-center justify-between gap-x-6">
        <h2 id="division" className="text-lead font-semibold">
          {text.title}
        </h2>
        <div role="group" aria-label={text.by} className="-mx-1.5 flex">
          {kpi.dimensions.map((one) => {
            const on = one === dimension
            return (
              <button
                key={one}
                type="button"
                aria-pressed={on}
                onClick={() => {
                  setAll(false)
                  division.setDimension(one)
                }}
                className={`tap relative px-1.5 text-small whitespace-nowrap after:absolute after:inset-x-1.5 after:bottom-1.5 after:h-0.5 after:rounded-full sm:px-2.5 sm:after:inset-x-2.5 ${on ? 'font-semibold text-ink after:bg-accent' : 'text-muted hover:text-ink'}`}
              >
                {text.dimensions[one].tab}
              </button>
            )
          })}
        </div>
      </div>
      <div className="-mx-2 mt-1">
        <Bars
          dimension={dimension}
          query={query}
          before={before}
          rows={6}
          chosen={only?.member ?? null}
          onChoose={(member) => {
            division.setOnly(member === null ? null : { dimension, member })
          }}
          wide
        />
        {(all || (data?.rest?.members ?? 0) > 0) && (
          <button
            type="button"
            className="tap px-2 text-small text-accent hover:underline"
            onClick={() => {
              setAll(!all)
            }}
          >
            {all ? text.fewer : text.more}
          </button>
        )}
      </div>
      {data && (
        <ul className="max-w-prose space-y-1 text-small text-muted">
          {data.members.length > 0 && (
            <li className="print:hidden">{text.hint(text.dimensions[dimension].one)}</li>
          )}
          {notesOn([data]).map((note) => (
            <li key={note}>{note}</li>
          ))}
          {data.since !== null && data.since <= data.from && (
            <li>{text.since(fullDay(data.since))}</li>
          )}
        </ul>
      )}
    </section>
  )
}
