import type { RefObject } from 'react'
import { api, query } from '../../api/client'
import type { Grain, Summary, SummaryKpi } from '../../api/types'
import { pictureOf } from '../../components/chart/picture'
import { FileMenu } from '../../components/FileMenu'
import { memberName } from '../../lib/breakdown'
import { dayRange } from '../../lib/dates'
import { formatNumber } from '../../lib/format'
import { shownUnit } from '../../lib/kpis'
import { useIdentity } from '../../lib/session'
import { useChosenNames } from '../../components/sources/SourceFilter'
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
  /** What the page is narrowed to; null for all. */
  sources: string | null
}

/** The numbers of the chart as files, and the chart as a picture. */
export function ExportMenu({ summary, kpi, grain, figure, only, sources }: Props) {
  const { tenant } = useIdentity()
  const names = useChosenNames(sources)
  const { from, to } = summary
  const part = only && memberName(only.dimension, only.member)
  const name = [kpi.key, part && plainName(part), names && plainName(names), from, to, grain]
    .filter(Boolean)
    .join('_')
  const numbers = (format: 'csv' | 'json') => async () =>
    (
      await api.file(
        `export${query({ format, kpis: kpi.key, from, to, grain, ...only, sources: sources ?? undefined })}`,
      )
    ).blob()
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
      title: [kpi.name, part, names].filter(Boolean).join(' · '),
      subtitle: [value, dayRange(from, to)].filter(Boolean).join(' · '),
      footer: text.footer(tenant.name, tenant.timeZone.replaceAll('_', ' ')),
    })
  }
  return (
    <FileMenu
      label={text.button}
      text={{ busy: text.busy, done: text.done, nothing: text.noPicture }}
      choices={[
        { name: text.csv, file: `${name}.csv`, make: numbers('csv') },
        { name: text.json, file: `${name}.json`, make: numbers('json') },
        { name: text.png, file: `${name}.png`, make: picture },
      ]}
    />
  )
}
