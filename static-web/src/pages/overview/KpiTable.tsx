import { ArrowDown, Search } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'react-router'
import type { Summary, SummaryKpi } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Sparkline } from '../../components/Sparkline'
import { Value } from '../../components/Value'
import { describeChange } from '../../lib/change'
import { formatNumber } from '../../lib/format'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { messages } from '../../messages'
import { later } from '../../messages-later'
import { byMovement, headingOf } from './movement'

interface Props {
  summary: Summary
  kpis: readonly SummaryKpi[]
  search: string
}

const text = later.overview

/** Lines of the table that fit on the one page of the overview, with the headings between them. */
const linesOnPaper = 6

/** Every number that is not in the strip; a search looks through all of them. */
export function KpiTable({ summary, kpis, search }: Props) {
  const [find, setFind] = useState('')
  const compared = summary.compare !== 'none'
  // One day has no course.
  const hasTrend = summary.dates.length > 1
  const [asked, setByChange] = useState(true)
  const byChange = asked && compared
  const words = find.trim().toLocaleLowerCase()
  const found = (words === '' ? kpis : summary.kpis).filter((kpi) =>
    `${kpi.name} ${kpi.description} ${kpi.key}`.toLocaleLowerCase().includes(words),
  )
  const rows = byChange ? byMovement(found) : found
  const before = beforeWords(summary)
  if (summary.kpis.length === 0) return null
  const headingAt = (i: number) => (byChange ? headingOf(rows, i) : null)
  // A heading counts as a line, and stands with its first number or not at all.
  const headings = (to: number) => rows.filter((_, i) => i <= to && headingAt(i) !== null).length
  const onPaper = rows
    .slice(0, linesOnPaper)
    .filter((_, i) => i + 1 + headings(i) <= linesOnPaper).length

  return (
    <section aria-labelledby="all" className="mt-10">
      <div className="flex items-center justify-between gap-4">
        <h2 id="all" className="text-lead font-semibold">
          {byChange && words === '' ? text.moved : text.all}
        </h2>
        <label className="relative flex items-center">
          <Search
            aria-hidden="true"
            size={16}
            className="pointer-events-none absolute left-3 text-muted"
          />
          <span className="sr-only">{text.find}</span>
          <input
            type="search"
            data-shortcut="find"
            value={find}
            placeholder={text.find}
            onChange={(event) => {
              setFind(event.target.value)
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return
              setFind('')
              event.currentTarget.blur()
            }}
            className="h-11 w-40 rounded border border-line bg-surface pr-3 pl-9 text-small placeholder:text-muted hover:border-line-strong sm:w-56"
          />
        </label>
      </div>
      {rows.length === 0 ? (
        <p className="py-6 text-small text-muted">
          {words === '' ? text.noMore : text.noneFound(find.trim())}
        </p>
      ) : (
        <table className="num mt-2 w-full">
          <thead className="text-small text-muted">
            <tr className="text-right">
              <th scope="col" className="py-2 text-left font-normal">
                {text.table.kpi}
              </th>
              {hasTrend && (
                <th scope="col" className="w-36 py-2 pl-6 text-left font-normal max-md:hidden">
                  {text.table.trend}
                </th>
              )}
              <th scope="col" className="py-2 pl-6 font-normal">
                {text.table.value}
              </th>
              {compared && (
                <>
                  <th scope="col" className="py-2 pl-6 font-normal max-sm:hidden">
                    {text.table.previous}
                  </th>
                  <th
                    scope="col"
                    aria-sort={byChange ? 'descending' : 'none'}
                    className="w-28 pl-4 font-normal sm:w-40 sm:pl-6"
                  >
                    <button
                      type="button"
                      className={`tap -my-2 inline-flex items-center justify-end gap-1 ${byChange ? 'text-ink' : ''}`}
                      title={byChange ? text.catalogueOrder : text.sortByChange}
                      onClick={() => {
                        setByChange(!byChange)
                      }}
                    >
                      {/* On paper there is nothing to sort. */}
                      {byChange && (
                        <ArrowDown aria-hidden="true" size={14} className="print:hidden" />
                      )}
                      {text.table.change}
                    </button>
                  </th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((kpi, i) => {
              const change = describeChange(kpi, before, summary.compare)
              const heading = headingAt(i)
              const paper = i < onPaper ? '' : 'print:hidden'
              return [
                heading && (
                  <tr key={heading} className={paper}>
                    <td
                      colSpan={5}
                      className="border-t border-line pt-4 pb-1 text-left text-small text-muted"
                    >
                      {text.movement[heading]}
                    </td>
                  </tr>
                ),
                <tr
                  key={kpi.key}
                  className={`tip-host border-t border-line text-right hover:bg-sunken/60 ${paper}`}
                >
                  <th scope="row" className="text-left font-normal">
                    <Link
                      to={{ pathname: `/metrics/${kpi.key}`, search }}
                      title={kpi.description}
                      className="tap flex items-center hover:text-accent"
                    >
                      {/* Fifty letters without a blank are broken; the rest of the row stays on a phone. */}
                      <bdi className="min-w-24 wrap-anywhere">{kpi.name}</bdi>
                    </Link>
                  </th>
                  {hasTrend && (
                    <td className="w-36 pl-6 max-md:hidden">
                      <Sparkline values={kpi.sparkline} status={kpi.dayStatus} className="h-5" />
                    </td>
                  )}
                  <td className="pl-4 font-semibold sm:pl-6">
                    <Value
                      value={kpi.value}
                      unit={shownUnit(kpi)}
                      currency={kpi.currency ?? summary.currency}
                      precision="table"
                      status={kpi.status}
                      reason={kpi.statusReason}
                      atRight
                    />
                  </td>
                  {compared && (
                    <>
                      <td className="pl-6 text-muted max-sm:hidden">
                        <Value
                          value={kpi.previous}
                          unit={shownUnit(kpi)}
                          currency={kpi.currency ?? summary.currency}
                          precision="table"
                          reason={messages.withheld.no_previous.long}
                          atRight
                        />
                      </td>
                      <td className="tip-right pl-4 text-small sm:pl-6">
                        {change && <ChangeText change={change} />}
                      </td>
                    </>
                  )}
                </tr>,
              ]
            })}
          </tbody>
        </table>
      )}
      {onPaper < rows.length && (
        <p className="num mt-1 hidden text-small text-muted print:block">
          {text.onPaper(
            formatNumber(onPaper, { unit: 'count' }),
            formatNumber(rows.length, { unit: 'count' }),
          )}
        </p>
      )}
      <Link
        to="/kpis/calculated"
        className="tap mt-1 inline-flex items-center text-small text-accent hover:underline"
      >
        {text.calculated}
      </Link>
    </section>
  )
}
