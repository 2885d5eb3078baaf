import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import type { Summary } from '../../api/types'
import { ErrorNotice, Notice } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { SavedAt } from '../../components/SavedAt'
import { makeBrief } from '../../lib/brief'
import { clock, dayIn, expectedDays } from '../../lib/dates'
import { endsYesterday, pickHeadline } from '../../lib/kpis'
import { usePeriod } from '../../lib/range'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { Brief, BriefSkeleton } from './Brief'
import { FreshLine } from './FreshLine'
import { DetailsSkeleton, Strip, StripSkeleton } from './Strip'
import { useSummary } from './queries'

// Below the first screen. Asked for at once, beside the numbers, but not part of what the first paint waits for.
const details = import('./Details')
const Details = lazy(() => details)
const Sources = lazy(() => details.then((all) => ({ default: all.FreshList })))

export default function Overview() {
  const { tenant } = useIdentity()
  const today = dayIn(tenant.timeZone, new Date())
  const period = usePeriod()
  const { range, compare } = period
  const summary = useSummary(tenant.id, range, compare)
  const data = summary.data
  const [opened] = useState(() => Date.now())
  const [picked, setPicked] = useState<string | null>(null)

  useEffect(() => {
    document.title = `${tenant.name} · ${messages.nav.overview} · ${messages.productShort}`
  }, [tenant.name])

  const top = useMemo(() => (data ? pickHeadline(data.kpis) : []), [data])
  // Words belong to the period that is on the page, which for a moment is the one before.
  const shown = data && isRange(data.range) ? data.range : range
  const brief = useMemo(() => (data ? makeBrief(data, shown) : []), [data, shown])
  const selected = data?.kpis.find((kpi) => kpi.key === picked) ?? top[0] ?? null
  const saved =
    summary.isFetching && !summary.isPlaceholderData && summary.dataUpdatedAt < opened - 60_000
      ? clock(new Date(summary.dataUpdatedAt).toISOString(), tenant.timeZone, new Date())
      : null
  const empty =
    data !== undefined &&
    (data.kpis.length === 0 ||
      (data.freshness.length === 0 && data.kpis.every((kpi) => kpi.value === null)))

  const pick = (key: string) => {
    setPicked(key)
    if (matchMedia('(max-width: 52rem)').matches) {
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches
      requestAnimationFrame(() => {
        document
          .getElementById('chart')
          ?.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' })
      })
    }
  }

  return (
    <div className="mx-auto max-w-[78rem] px-4 pb-16 sm:px-8">
      <h1 className="sr-only">{messages.overview.title(tenant.name)}</h1>
      <div className="flex flex-col gap-2 pt-3 lg:flex-row lg:items-start lg:justify-between lg:gap-12 lg:pt-8">
        <div className="min-w-0 flex-1">
          {empty ? (
            <Notice title={messages.overview.emptyTitle}>{messages.overview.empty}</Notice>
          ) : data ? (
            <Brief lines={brief} onPick={pick} />
          ) : summary.isError ? (
            <ErrorNotice error={summary.error} retry={() => void summary.refetch()} />
          ) : (
            <BriefSkeleton />
          )}
        </div>
        <PeriodBar
          range={range}
          compare={compare}
          onRange={period.setRange}
          onCompare={period.setCompare}
          days={data ?? expectedDays(range, today)}
          today={today}
          yesterday={data ? endsYesterday(data) : true}
        />
      </div>

      {empty ? (
        <Suspense fallback={null}>
          <Sources summary={data} />
        </Suspense>
      ) : data ? (
        <div
          className={
            summary.isPlaceholderData ? 'opacity-60 transition-opacity' : 'transition-opacity'
          }
        >
          <Body
            data={data}
            top={top}
            selected={selected}
            pick={pick}
            shown={shown}
            tenantId={tenant.id}
            saved={saved}
          />
        </div>
      ) : summary.isError ? null : (
        <div aria-busy="true">
          <span className="sr-only">{messages.loading}</span>
          <StripSkeleton />
          <DetailsSkeleton />
        </div>
      )}
      <SavedAt query={summary} timeZone={tenant.timeZone} />
    </div>
  )
}

interface BodyProps {
  data: Summary
  top: Summary['kpis']
  selected: Summary['kpis'][number] | null
  pick: (key: string) => void
  shown: keyof typeof messages.ranges
  tenantId: string
  saved: string | null
}

function Body({ data, top, selected, pick, shown, tenantId, saved }: BodyProps) {
  const rest = data.kpis.filter((kpi) => !top.includes(kpi))
  return (
    <>
      <Strip
        summary={data}
        kpis={top}
        selected={selected?.key ?? null}
        onPick={pick}
        shown={shown}
      />
      <FreshLine summary={data} saved={saved} />
      <Suspense fallback={<DetailsSkeleton />}>
        <Details
          summary={data}
          kpis={rest}
          selected={selected}
          onPick={pick}
          shown={shown}
          tenantId={tenantId}
        />
      </Suspense>
    </>
  )
}

const isRange = (text: string | null): text is keyof typeof messages.ranges =>
  text !== null && text in messages.ranges
