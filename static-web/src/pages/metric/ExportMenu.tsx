import { ChevronDown, Download } from 'lucide-react'
import { useState, type RefObject } from 'react'
import { api, query } from '../../api/client'
import type { Grain, Summary, SummaryKpi } from '../../api/types'
import { pictureOf } from '../../components/chart/picture'
import { Menu, useCloseMenu } from '../../components/Menu'
import { saveFile, sentenceOf } from '../../components/ui'
import { memberName } from '../../lib/breakdown'
import { dayRange } from '../../lib/dates'
import { formatNumber } from '../../lib/format'
import { shownUnit } from '../../lib/kpis'
import { useIdentity } from '../../lib/session'
import { metric } from '../../messages-metric'
import type { Only } from '../analytics/queries'

const text = metric.export

/** As a part of a file's name: "organic-search". */
const plainName = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 60)

interface Props {
  summary: Summary
  kpi: SummaryKpi
  grain: Grain
  figure: RefObject<HTMLDivElement | null>
  /** The part of the number that the chart shows alone. */
  only: Only | null
}

/** The numbers of the chart as files, and the chart as a picture. */
export function ExportMenu(props: Props) {
  const [said, setSaid] = useState<string | null>(null)
  return (
    <div className="flex items-center">
      <span role="status" className="max-w-64 truncate text-small text-muted max-sm:sr-only">
        {said}
      </span>
      <Menu
        align="right"
        buttonClass="tap inline-flex items-center gap-1.5 px-3 text-small font-semibold text-accent hover:underline"
        button={
          <>
            <Download aria-hidden="true" size={16} />
            {text.button}
            <ChevronDown aria-hidden="true" size={14} />
          </>
        }
      >
        <Choices {...props} say={setSaid} />
      </Menu>
    </div>
  )
}

function Choices({
  summary,
  kpi,
  grain,
  figure,
  only,
  say,
}: Props & { say: (said: string) => void }) {
  const { tenant } = useIdentity()
  const close = useCloseMenu()
  const { from, to } = summary
  const part = only && memberName(only.dimension, only.member)
  const name = [kpi.key, part && plainName(part), from, to, grain].filter(Boolean).join('_')
  const save = (make: () => Promise<Blob | null>, extension: string) => () => {
    close()
    say(text.busy)
    make().then(
      (file) => {
        if (!file) {
          say(text.noPicture)
          return
        }
        saveFile(file, `${name}.${extension}`)
        say(text.done(`${name}.${extension}`))
      },
      (error: unknown) => {
        say(sentenceOf(error))
      },
    )
  }
  const numbers = (format: 'csv' | 'json') => async () =>
    (await api.file(`export${query({ format, kpis: kpi.key, from, to, grain, ...only })}`)).blob()
  const picture = async () => {
    const canvas = figure.current?.querySelector('canvas')
    if (!canvas) return null
    const value = part
      ? ''
      : kpi.value === null
        ? (kpi.statusReason ?? '')
        : formatNumber(
            kpi.value,
            { unit: shownUnit(kpi), currency: kpi.currency ?? summary.currency },
            'exact',
          )
    return pictureOf(canvas, {
      title: part ? `${kpi.name} · ${part}` : kpi.name,
      subtitle: [value, dayRange(from, to)].filter(Boolean).join(' · '),
      footer: text.footer(tenant.name, tenant.timeZone.replaceAll('_', ' ')),
    })
  }
  const choices = [
    { name: text.csv, run: save(numbers('csv'), 'csv') },
    { name: text.json, run: save(numbers('json'), 'json') },
    { name: text.png, run: save(picture, 'png') },
  ]
  return choices.map((choice) => (
    <button
      key={choice.name}
      type="button"
      className="tap flex w-full items-center rounded px-3 text-left hover:bg-sunken"
      onClick={choice.run}
    >
      {choice.name}
    </button>
  ))
}
