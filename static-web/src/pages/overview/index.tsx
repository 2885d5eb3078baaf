import {
  lazy,
  Suspense,
  useEffect,
  useMemo,
  useState,
  type ComponentProps,
  type ComponentType,
} from 'react'
import { useLocation } from 'react-router'
import type { Insights, Summary } from '../../api/types'
import { ErrorNotice } from '../../components/Notice'
import { NotHere } from '../../components/sources/NotHere'
import { PeriodBar } from '../../components/PeriodBar'
import { SavedAt } from '../../components/SavedAt'
import { clock, dayIn } from '../../lib/dates'
import { pickHeadline } from '../../lib/kpis'
import { usePeriod } from '../../lib/range'
import { useIdentity } from '../../lib/session'
import { isGone } from '../../lib/sources'
import { messages } from '../../messages'
import { Brief, BriefSkeleton } from './Brief'
import { AutomationLine } from './AutomationLine'
import { FreshLine } from './FreshLine'
import { DetailsSkeleton, Strip, StripSkeleton } from './Strip'
import { useOverview } from './queries'

// Below the first screen. Asked for at once, beside the numbers, but not part of what the first paint waits for.
const details = import('./Details')
const Later = lazy(() => details)
// Once it is there it is drawn at once: React holds back for 300 ms what takes the place of a fallback.
let Details: ComponentType<ComponentProps<typeof Later>> = Later
void details.then((all) => {
  Details = all.default
})
const Empty = lazy(() => import('./Empty'))

export default function Overview() {
  const { tenant } = useIdentity()
  const today = dayIn(tenant.timeZone, new Date())
  const period = usePeriod()
  const { search } = useLocation()
  const summary = useOverview(tenant.id, period.span, period.compare)
  const data = isGone(summary.error) ? undefined : summary.data
  const insights = data?.insights ?? undefined
  const [opened] = useState(() => Date.now())

  useEffect(() => {
    document.title = `${tenant.name} · ${messages.nav.overview} · ${messages.productShort}`
  }, [tenant.name])

  const top = useMemo(() => (data ? pickHeadline(data.kpis, 6, data.headline ?? []) : []), [data])
  const saved =
    summary.isFetching && !summary.isPlaceholderData && summary.dataUpdatedAt < opened - 60_000
      ? clock(new Date(summary.dataUpdatedAt).toISOString(), tenant.timeZone, new Date())
      : null
  const empty =
    data !== undefined &&
    // One source alone may have nothing yet.
    period.sources === null &&
    (data.kpis.length === 0 ||
      (data.freshness.length === 0 && data.kpis.every((kpi) => kpi.value === null)))

  if (empty)
    return (
      <div className="mx-auto max-w-[78rem] px-4 pb-16 sm:px-8">
        <h1 className="sr-only">{messages.overview.title(tenant.name)}</h1>
        <Suspense fallback={null}>
          <Empty />
        </Suspense>
        <SavedAt query={summary} timeZone={tenant.timeZone} />
      </div>
    )
  return (
    <div className="mx-auto max-w-[78rem] px-4 pb-16 sm:px-8">
      <h1 className="sr-only">{messages.overview.title(tenant.name)}</h1>
      <div className="flex flex-col gap-2 pt-3 lg:flex-row lg:items-start lg:justify-between lg:gap-12 lg:pt-8">
        <div className="min-w-0 flex-1">
          {insights ? (
            <Brief insights={insights} search={search} />
          ) : (
            !(summary.isError && !data) && <BriefSkeleton />
          )}
          <AutomationLine summary={data} sources={period.sources} />
        </div>
        <PeriodBar
          period={period}
          days={data}
          today={today}
          timeZone={tenant.timeZone}
          business={tenant.name}
          sourcesOf=""
        />
      </div>

      {data ? (
        <div
          className={
            summary.isPlaceholderData ? 'opacity-60 transition-opacity' : 'transition-opacity'
          }
        >
          {data.kpis.length === 0 && period.sources !== null && (
            <NotHere chosen={period.sources} what={messages.overview.numbersYet} />
          )}
          <Body
            data={data}
            top={top}
            insights={insights}
            search={search}
            tenantId={tenant.id}
            saved={saved}
          />
        </div>
      ) : summary.isError ? (
        <ErrorNotice error={summary.error} retry={() => void summary.refetch()} />
      ) : (
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
  insights: Insights | undefined
  search: string
  tenantId: string
  saved: string | null
}

function Body({ data, top, insights, search, tenantId, saved }: BodyProps) {
  return (
    <>
      <Strip summary={data} kpis={top} search={search} />
      <FreshLine summary={data} saved={saved} />
      <Suspense fallback={<DetailsSkeleton />}>
        <Details summary={data} top={top} insights={insights} search={search} tenantId={tenantId} />
      </Suspense>
    </>
  )
}
