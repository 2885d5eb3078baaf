import { useState } from 'react'
import type { Insights, Summary, SummaryKpi } from '../../api/types'
import { withoutDoubles } from '../../lib/kpis'
import { useIdentity } from '../../lib/session'
import { PrintNote } from '../../components/print/PrintNote'
import { Actions } from './Actions'
import { AutomationBlock } from './AutomationBlock'
import { FreshList } from './FreshList'
import { Headline } from './Headline'
import { KpiChart } from './KpiChart'
import { KpiTable } from './KpiTable'

interface Props {
  summary: Summary
  top: readonly SummaryKpi[]
  insights: Insights | undefined
  search: string
  tenantId: string
}

/** The evidence under the headline: the chart, every other number, the automations, the sources and what could be done. */
export default function Details({ summary, top, insights, search, tenantId }: Props) {
  const { tenant } = useIdentity()
  const [picked, setPicked] = useState<string | null>(null)
  const selected = summary.kpis.find((kpi) => kpi.key === picked) ?? top[0]
  return (
    <div className="print-beside mt-6 grid gap-x-12 gap-y-10 xl:grid-cols-[minmax(0,1fr)_18rem] xl:grid-rows-[auto_1fr]">
      <div className="print-short min-w-0 xl:col-start-1">
        <Headline summary={summary} top={top} />
        {selected && (
          <KpiChart
            summary={summary}
            kpi={selected}
            onPick={setPicked}
            search={search}
            tenantId={tenantId}
          />
        )}
      </div>
      <div className="print-aside grid content-start gap-10 sm:grid-cols-2 xl:col-start-2 xl:row-span-2 xl:grid-cols-1">
        <AutomationBlock summary={summary} />
        <FreshList summary={summary} />
        <Actions summary={summary} insights={insights} />
      </div>
      <div className="print-short min-w-0 xl:col-start-1">
        <KpiTable
          summary={summary}
          kpis={withoutDoubles(summary.kpis).filter((kpi) => !top.includes(kpi))}
          search={search}
        />
      </div>
      <div className="xl:col-span-2">
        <PrintNote business={tenant.name} summary={summary} />
      </div>
    </div>
  )
}
