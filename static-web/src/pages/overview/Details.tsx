import type { Range, Summary, SummaryKpi } from '../../api/types'
import { PrintNote, savePdf } from '../../components/print/PrintNote'
import { boards } from '../../messages-boards'
import { AutomationBlock } from './AutomationBlock'
import { FreshList } from './FreshList'
import { KpiChart } from './KpiChart'
import { KpiTable } from './KpiTable'

export { FreshList }

interface Props {
  summary: Summary
  kpis: readonly SummaryKpi[]
  selected: SummaryKpi | null
  onPick: (key: string) => void
  shown: Range
  tenantId: string
}

/** The evidence under the headline: the chart, every other number, the automations and the sources. */
export default function Details({ summary, kpis, selected, onPick, shown, tenantId }: Props) {
  return (
    <div className="print-beside mt-6 grid gap-x-12 gap-y-10 xl:grid-cols-[minmax(0,1fr)_18rem]">
      <div className="print-short min-w-0">
        {selected && (
          <KpiChart summary={summary} kpi={selected} shown={shown} tenantId={tenantId} />
        )}
        <KpiTable
          summary={summary}
          kpis={kpis}
          selected={selected?.key ?? null}
          onPick={onPick}
          shown={shown}
        />
      </div>
      <div className="grid content-start gap-10 sm:grid-cols-2 xl:grid-cols-1">
        <AutomationBlock summary={summary} />
        <FreshList summary={summary} />
      </div>
      <div className="xl:col-span-2">
        <button
          type="button"
          className="tap text-small text-accent hover:underline print:hidden"
          onClick={() => void savePdf()}
        >
          {boards.print}
        </button>
        <PrintNote summary={summary} />
      </div>
    </div>
  )
}
