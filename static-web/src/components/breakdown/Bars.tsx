import { useDeferredValue, useId, useState } from 'react'
import type { Breakdown, BreakdownMember, Dimension } from '../../api/types'
import { boundOf, hasBars, isIdle, isUnknown, lengthsOf, memberName } from '../../lib/breakdown'
import { describeChange } from '../../lib/change'
import { fullDay } from '../../lib/dayNames'
import { formatNumber, formatPercent } from '../../lib/format'
import { messages } from '../../messages'
import { breakdown as text } from '../../messages-breakdown'
import { later } from '../../messages-later'
import { ChangeText } from '../ChangeText'
import { quietButton } from '../Notice'
import { Skeleton } from '../Skeleton'
import { sentenceOf } from '../ui'
import { Value } from '../Value'

interface Props {
  dimension: Dimension
  query: {
    data: Breakdown | undefined
    error: unknown
    isPlaceholderData: boolean
    refetch: () => unknown
  }
  /** "the 7 days before" */
  before: string
  /** Rows of the skeleton. */
  rows: number
  /** The value that stands alone in the chart. */
  chosen: string | null
  onChoose: (member: string | null) => void
  /** Room for shares. */
  wide?: boolean
}

/** How a number divides: bars that choose what the chart shows, and the same as a table. */
export function Bars({ dimension, query, before, rows, chosen, onChoose, wide = false }: Props) {
  const { data } = query
  if (!data)
    return query.error ? (
      <div role="alert" className="px-2 py-3 text-small">
        <p className="text-muted">{text.failed(sentenceOf(query.error))}</p>
        <button
          type="button"
          className={`${quietButton} mt-3`}
          onClick={() => void query.refetch()}
        >
          {messages.errors.retry}
        </button>
      </div>
    ) : (
      <div aria-busy="true">
        <span className="sr-only">{messages.loading}</span>
        {Array.from({ length: rows }, (_, i) => (
          <div key={i} className="flex h-11 items-center px-2">
            <Skeleton className="h-7 w-full" />
          </div>
        ))}
      </div>
    )
  const words = text.dimensions[dimension]
  if (data.members.length === 0)
    return (
      <p className="px-2 py-3 text-small text-muted">
        {data.since !== null && data.since > data.to
          ? text.beginsLater(fullDay(data.since))
          : (data.statusReason ?? text.none)}
      </p>
    )
  if (!hasBars(data))
    return <p className="px-2 py-3 text-small text-muted">{text.unknownOnly(words.what)}</p>
  return (
    <Filled
      data={data}
      stale={query.isPlaceholderData}
      {...{ before, chosen, onChoose, wide, dimension }}
    />
  )
}

function Filled({
  data,
  dimension,
  stale,
  before,
  chosen,
  onChoose,
  wide,
}: Omit<Props, 'query' | 'rows'> & { data: Breakdown; stale: boolean; wide: boolean }) {
  const [asTable, setAsTable] = useState(false)
  // The button answers at once; many rows may take a moment longer.
  const tableShown = useDeferredValue(asTable)
  const id = useId()
  const style = { unit: data.unit, currency: data.currency ?? undefined }
  const lengths = lengthsOf(data)
  const rows: { member: BreakdownMember; name: string; length: number; rest: boolean }[] =
    data.members
      .map((member, i) => ({
        member,
        name: memberName(dimension, member.name),
        length: lengths[i] ?? 0,
        rest: false,
      }))
      .filter((row) => !isIdle(row.member, data))
  if (data.rest)
    rows.push({
      member: { ...data.rest, name: '' },
      name: text.rest(data.rest.members),
      length: data.aggregation === 'sum' ? (data.rest.share ?? 0) : 0,
      rest: true,
    })
  const changeOf = (member: BreakdownMember) => {
    const change = describeChange({ ...data, key: data.kpi, ...member }, before, data.compare)
    if (change?.sign !== null) return change
    // There is no room for the reason; it is read out, and stands below where it is the same for all.
    return {
      ...change,
      text:
        member.changeWithheld === 'zero_previous' && (member.value ?? 0) > 0
          ? text.fresh
          : messages.notMeasurable,
    }
  }
  const changes = rows.some(
    ({ member }) => changeOf(member)?.sign !== null && data.compare !== 'none',
  )
  const percent = (share: number | null) =>
    share === null ? messages.notMeasurable : formatPercent(share)
  const of = data.aggregation === 'sum' ? null : (text.shareOf[data.shareOf] ?? null)
  const title = text.table(data.name, text.dimensions[dimension].title)

  return (
    <div className={stale ? 'opacity-60 transition-opacity' : 'transition-opacity'}>
      {tableShown ? (
        <div
          id={id}
          role="region"
          aria-label={title}
          tabIndex={0}
          className="relative max-h-96 overflow-auto"
        >
          <table className="num w-full text-small">
            <caption className="sr-only">{title}</caption>
            <thead>
              <tr className="text-right text-muted">
                <th scope="col" className="py-2 pr-3 text-left font-normal">
                  {text.dimensions[dimension].tab}
                </th>
                <th scope="col" className="py-2 pl-3 font-normal">
                  {text.columns.value}
                </th>
                {data.compare !== 'none' && (
                  <th scope="col" className="py-2 pl-3 font-normal">
                    {text.columns.previous}
                  </th>
                )}
                {changes && (
                  <th scope="col" className="py-2 pl-3 font-normal">
                    {text.columns.change}
                  </th>
                )}
                <th scope="col" className="py-2 pl-3 font-normal">
                  {of === null ? text.columns.share : text.share(text.columns.share, of)}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ member, name, rest }) => {
                const change = changeOf(member)
                const bound = boundOf(member, rest, data)
                return (
                  <tr key={rest ? '' : member.name} className="border-t border-line text-right">
                    <th
                      scope="row"
                      className="py-1.5 pr-3 text-left font-normal [overflow-wrap:anywhere]"
                    >
                      {name}
                    </th>
                    <td className="py-1.5 pl-3">
                      {bound && `${bound}\u00a0`}
                      {member.value === null
                        ? messages.notMeasurable
                        : formatNumber(member.value, style, 'table')}
                    </td>
                    {data.compare !== 'none' && (
                      <td className="py-1.5 pl-3">
                        {member.previous === null
                          ? messages.notMeasurable
                          : formatNumber(member.previous, style, 'table')}
                      </td>
                    )}
                    {changes && (
                      <td className="py-1.5 pl-3">{change && <ChangeText change={change} />}</td>
                    )}
                    <td className="py-1.5 pl-3">{percent(member.share)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      ) : (
        <ul id={id} aria-label={title}>
          {rows.map(({ member, name, length, rest }) => {
            const change = changeOf(member)
            const bound = boundOf(member, rest, data)
            const on = !rest && member.name === chosen
            const inside = (
              <>
                <span
                  aria-hidden="true"
                  className={`absolute inset-y-1 left-0 rounded-[4px] ${on ? 'bg-accent' : rest ? 'bg-sunken' : 'bg-accent-soft'} ${on ? 'opacity-25' : ''}`}
                  style={{ width: `${Math.max(length * 100, length > 0 ? 0.8 : 0)}%` }}
                />
                <span
                  className={`relative min-w-0 flex-1 ${on ? 'font-semibold [overflow-wrap:anywhere]' : 'truncate'} ${rest || isUnknown(member.name) ? 'text-muted' : ''}`}
                  title={name}
                >
                  {name}
                </span>
                <span className="num relative whitespace-nowrap">
                  {bound && (
                    <>
                      <span aria-hidden="true">{bound}&nbsp;</span>
                      <span className="sr-only">{text.bound[bound]} </span>
                    </>
                  )}
                  <Value
                    value={member.value}
                    precision="table"
                    reason={data.statusReason}
                    {...style}
                  />
                </span>
                {changes && (
                  <span className="relative flex w-[3.75rem] shrink-0 justify-end">
                    {change && <ChangeText change={change} />}
                  </span>
                )}
                {wide && (
                  <span className="num relative hidden w-28 shrink-0 text-right text-muted sm:block">
                    {member.share === null ? '' : text.share(percent(member.share), of)}
                  </span>
                )}
              </>
            )
            const row = 'relative flex min-h-11 w-full items-center gap-3 px-2 text-left text-small'
            return (
              <li key={rest ? '' : member.name}>
                {rest ? (
                  <div className={row}>{inside}</div>
                ) : (
                  <button
                    type="button"
                    aria-pressed={on}
                    className={`${row} rounded hover:bg-sunken`}
                    onClick={() => {
                      onChoose(on ? null : member.name)
                    }}
                  >
                    {inside}
                  </button>
                )}
              </li>
            )
          })}
        </ul>
      )}
      <button
        type="button"
        aria-expanded={asTable}
        aria-controls={id}
        className="tap px-2 text-small text-accent hover:underline"
        onClick={() => {
          setAsTable(!asTable)
        }}
      >
        {asTable ? later.chart.hideTable : later.chart.table}
        <span className="sr-only">: {title}</span>
      </button>
    </div>
  )
}

/** Says which part of the number the chart shows, and shows all again. */
export function OnlyChip({
  dimension,
  member,
  onAll,
}: {
  dimension: Dimension
  member: string
  onAll: () => void
}) {
  return (
    <p
      role="status"
      className="mb-2 flex min-h-11 w-fit max-w-full items-center gap-1 rounded bg-accent-soft pl-3 text-small"
    >
      <span className="min-w-0 truncate">{text.only(memberName(dimension, member))}</span>
      <button
        type="button"
        className="tap shrink-0 px-3 font-semibold text-accent-strong hover:underline"
        onClick={onAll}
      >
        {text.all}
      </button>
    </p>
  )
}
