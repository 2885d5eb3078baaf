import {
  BarController,
  BarElement,
  CategoryScale,
  Chart as ChartJs,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  type ChartData,
  type ChartOptions,
  type Plugin,
} from 'chart.js'
import { useEffect, useMemo, useRef, type PointerEvent } from 'react'
import { Chart as ReactChart } from 'react-chartjs-2'
import type { DayStatus, Grain } from '../../api/types'
import { dayName } from '../../lib/dates'
import { monthShort, shortDay } from '../../lib/dayNames'
import type { NumberStyle } from '../../lib/format'
import { formatAxis } from '../../lib/formatApart'
import { useTheme } from '../../lib/themeChoice'
import { later } from '../../messages-later'
import type { ChartSeries } from './Chart'
import type { ChartNote } from './notes'

ChartJs.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
)

interface Props {
  dates: readonly string[]
  status: readonly DayStatus[]
  series: readonly ChartSeries[]
  style: NumberStyle
  fromZero: boolean
  stacked: boolean
  twin: boolean
  grain: Grain
  /** The notes at each point. */
  marked: readonly (readonly ChartNote[])[]
  active: number | null
  onActive: (index: number | null) => void
}

/** Wide enough for any amount of money as an axis has it. */
const twinAxis = 60

/** Which day each chart is reading out. Kept beside the chart: the plugin that draws it outlives a render. */
const reading = new WeakMap<ChartJs, number | null>()

/** The colours of the page, read from its tokens as they are in a theme. */
function readTokens(theme: string) {
  const css = getComputedStyle(document.documentElement)
  const read = (name: string) => css.getPropertyValue(name).trim()
  return {
    theme,
    accent: read('--accent'),
    good: read('--accent'),
    bad: read('--trouble'),
    before: read('--before'),
    goal: read('--good'),
    attention: read('--attention'),
    ink: read('--ink'),
    muted: read('--muted'),
    grid: read('--grid'),
    hatch: read('--hatch'),
    line: read('--line-strong'),
    surface: read('--surface'),
    font: getComputedStyle(document.body).fontFamily,
  }
}

const isSoft = (status: DayStatus | undefined) => status === 'provisional' || status === 'partial'

function hatching(colour: string): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 6
  const pen = tile.getContext('2d')
  if (!pen) return colour
  pen.strokeStyle = colour
  pen.lineWidth = 1
  pen.beginPath()
  pen.moveTo(-1, 1)
  pen.lineTo(1, -1)
  pen.moveTo(0, 6)
  pen.lineTo(6, 0)
  pen.moveTo(5, 7)
  pen.lineTo(7, 5)
  pen.stroke()
  return pen.createPattern(tile, 'repeat') ?? colour
}

/** Days that may change are hatched, days without data say so, and the day being read has a line. */
function daysPlugin(status: readonly DayStatus[], tokens: ReturnType<typeof readTokens>): Plugin {
  const pattern = hatching(tokens.hatch)
  return {
    id: 'days',
    beforeDatasetsDraw(chart) {
      const x = chart.scales.x
      if (!x || status.length === 0) return
      const { top, bottom, left, right } = chart.chartArea
      const step =
        status.length > 1 ? Math.abs(x.getPixelForValue(1) - x.getPixelForValue(0)) : right - left
      const pen = chart.ctx
      pen.save()
      for (let i = 0; i < status.length;) {
        const kind = isSoft(status[i]) ? 'soft' : status[i] === 'missing' ? 'missing' : 'plain'
        let j = i
        const same = (s: DayStatus | undefined) =>
          (isSoft(s) ? 'soft' : s === 'missing' ? 'missing' : 'plain') === kind
        while (j + 1 < status.length && same(status[j + 1])) j++
        if (kind !== 'plain') {
          const from = Math.max(left, x.getPixelForValue(i) - step / 2)
          const to = Math.min(right, x.getPixelForValue(j) + step / 2)
          if (kind === 'soft') {
            pen.fillStyle = pattern
            pen.fillRect(from, top, to - from, bottom - top)
          } else {
            // A gap, and never a line near zero, which would be read as one.
            if (to - from > 52) {
              pen.fillStyle = tokens.muted
              pen.font = `12px ${tokens.font}`
              pen.textAlign = 'center'
              pen.fillText(later.chart.noData, (from + to) / 2, bottom - 8)
            }
          }
        }
        i = j + 1
      }
      pen.restore()
    },
    afterDatasetsDraw(chart) {
      const at = reading.get(chart) ?? null
      const x = chart.scales.x
      if (at === null || !x) return
      const { top, bottom } = chart.chartArea
      const pen = chart.ctx
      const px = x.getPixelForValue(at)
      pen.save()
      pen.strokeStyle = tokens.line
      pen.lineWidth = 1
      pen.beginPath()
      pen.moveTo(px, top)
      pen.lineTo(px, bottom)
      pen.stroke()
      chart.data.datasets.forEach((set, k) => {
        const point = chart.getDatasetMeta(k).data[at]
        if (set.type !== 'line' || set.data[at] === null || !point) return
        pen.fillStyle = typeof set.borderColor === 'string' ? set.borderColor : tokens.accent
        pen.strokeStyle = tokens.surface
        pen.lineWidth = 2
        pen.beginPath()
        pen.arc(point.x, point.y, 5, 0, 2 * Math.PI)
        pen.fill()
        pen.stroke()
      })
      pen.restore()
    },
  }
}

/** Above the days: a filled flag where a person wrote something, a hollow diamond where the system found something; a ring around an unusual value. */
function notesPlugin(
  marked: readonly (readonly ChartNote[])[],
  tokens: ReturnType<typeof readTokens>,
): Plugin {
  const first = (i: number, note: ChartNote) => !marked[i - 1]?.includes(note)
  return {
    id: 'notes',
    afterDatasetsDraw(chart) {
      const x = chart.scales.x
      if (!x) return
      const { top } = chart.chartArea
      const y = top - 9
      const pen = chart.ctx
      pen.save()
      marked.forEach((notes, i) => {
        const px = x.getPixelForValue(i)
        // Days after the first of a longer note: a line, so that its length can be seen.
        for (const note of notes) {
          if (note.kind === 'unusual' || first(i, note)) continue
          pen.strokeStyle = note.kind === 'note' ? tokens.ink : tokens.muted
          pen.lineWidth = 1.5
          pen.setLineDash(note.kind === 'note' ? [] : [2, 2])
          pen.beginPath()
          pen.moveTo(x.getPixelForValue(i - 1) + (first(i - 1, note) ? 5 : 0), y)
          pen.lineTo(px, y)
          pen.stroke()
          pen.setLineDash([])
        }
        const starts = (kind: ChartNote['kind']) =>
          notes.some((note) => note.kind === kind && first(i, note))
        const both = starts('note') && starts('system')
        if (starts('system')) {
          const sx = px + (both ? 6 : 0)
          pen.strokeStyle = tokens.muted
          pen.fillStyle = tokens.surface
          pen.lineWidth = 1.5
          pen.beginPath()
          pen.moveTo(sx, y - 5)
          pen.lineTo(sx + 5, y)
          pen.lineTo(sx, y + 5)
          pen.lineTo(sx - 5, y)
          pen.closePath()
          pen.fill()
          pen.stroke()
        }
        if (starts('note')) {
          const nx = px - (both ? 6 : 0)
          pen.fillStyle = tokens.ink
          pen.beginPath()
          pen.moveTo(nx - 5, y - 5)
          pen.lineTo(nx + 5, y - 5)
          pen.lineTo(nx + 5, y + 2)
          pen.lineTo(nx + 2, y + 2)
          pen.lineTo(nx, y + 6)
          pen.lineTo(nx - 2, y + 2)
          pen.lineTo(nx - 5, y + 2)
          pen.closePath()
          pen.fill()
        }
        const point = chart.getDatasetMeta(0).data[i]
        if (
          point &&
          chart.data.datasets[0]?.data[i] !== null &&
          notes.some((note) => note.kind === 'unusual')
        ) {
          pen.strokeStyle = tokens.attention
          pen.lineWidth = 2
          pen.beginPath()
          pen.arc(point.x, point.y, 7, 0, 2 * Math.PI)
          pen.stroke()
        }
      })
      pen.restore()
    },
  }
}

/** What a chart measures on paper, in CSS pixels: as wide as a desk, because its letters become as much smaller as those around it. */
const [paperWidth, paperHeight, paperTwin, paperDensity] = [1100, 260, 200, 2]

/**
 * How wide a chart is on paper, in pixels, by the measures of print.css: in a card across an A4 page, or in a tile of a dashboard, whose
 * twelve columns lie across. It cannot be measured: before printing the page still has the measures of the screen.
 */
function roomOnPaper(canvas: HTMLCanvasElement) {
  const [millimetre, rem, inset] = [96 / 25.4, 9.5, 8]
  const columns = Number(
    canvas.closest<HTMLElement>('.board > li')?.style.getPropertyValue('--wide') ?? 0,
  )
  if (columns === 0) return 190 * millimetre - inset - 3 * rem - 2
  const gap = 2 * rem
  return ((277 * millimetre - inset + gap) / 12) * columns - gap
}

/**
 * Near `paperWidth`, and so that the chart fills its room: Chromium scales a canvas on paper by whole 64ths, rounded down, which left up
 * to a twentieth of the card empty. A pixel less than the room, so that a rounding elsewhere does not fall below the step.
 */
function widthOnPaper(canvas: HTMLCanvasElement) {
  const room = roomOnPaper(canvas) - 1
  const steps = Math.max(1, Math.round((room * 64) / (paperWidth * paperDensity)))
  return Math.floor((room * 64) / (steps * paperDensity))
}

/** A translucent version of a #rrggbb colour. */
const faded = (colour: string) => `${colour}80`

export default function ChartCanvas({
  dates,
  status,
  series,
  style,
  fromZero,
  stacked,
  twin,
  grain,
  marked,
  active,
  onActive,
}: Props) {
  const theme = useTheme()
  const chart = useRef<ChartJs | null>(null)
  const tokens = useMemo(() => readTokens(theme), [theme])
  const plugins = useMemo(
    () => [daysPlugin(status, tokens), notesPlugin(marked, tokens)],
    [status, marked, tokens],
  )
  const roomy = marked.some((notes) => notes.length > 0)

  useEffect(() => {
    if (!chart.current) return
    reading.set(chart.current, active)
    chart.current.draw()
  }, [active])

  useEffect(() => {
    // A canvas is drawn in pixels: for paper in those of a page, not of the screen or the phone it is printed from.
    const paper = () => {
      const drawn = chart.current
      if (!drawn) return
      drawn.stop()
      drawn.options.devicePixelRatio = paperDensity
      drawn.resize(widthOnPaper(drawn.canvas), twin ? paperTwin : paperHeight)
      drawn.update('none')
    }
    const screen = () => {
      const drawn = chart.current
      if (!drawn) return
      drawn.options.devicePixelRatio = devicePixelRatio
      drawn.resize()
    }
    addEventListener('beforeprint', paper)
    addEventListener('afterprint', screen)
    return () => {
      removeEventListener('beforeprint', paper)
      removeEventListener('afterprint', screen)
    }
  }, [twin])

  const data = useMemo<ChartData>(
    () => ({
      labels: [...dates],
      datasets: series.map((one) => {
        const colour = tokens[one.tone]
        const values = [...one.values]
        if (one.kind === 'bar')
          return {
            type: 'bar' as const,
            label: one.name,
            data: values,
            backgroundColor: values.map((_, i) => (isSoft(status[i]) ? faded(colour) : colour)),
            borderRadius: 2,
            maxBarThickness: 24,
            categoryPercentage: 0.8,
            barPercentage: 0.9,
            ...(stacked ? { stack: 'all' } : {}),
          }
        const before = one.tone === 'before'
        const goal = one.tone === 'goal'
        const alone = (i: number) =>
          values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null
        return {
          type: 'line' as const,
          label: one.name,
          data: values,
          borderColor: colour,
          backgroundColor: colour,
          borderWidth: before || goal ? 1.5 : 2,
          borderDash: before ? [4, 4] : goal ? [10, 4] : [],
          ...(goal ? { stepped: 'middle' as const } : {}),
          ...(before || goal
            ? {}
            : {
                segment: {
                  borderDash: ({
                    p0DataIndex: a,
                    p1DataIndex: b,
                  }: {
                    p0DataIndex: number
                    p1DataIndex: number
                  }) => (isSoft(status[a]) || isSoft(status[b]) ? [2, 3] : undefined),
                },
              }),
          // A day between two gaps would be invisible as a line.
          pointRadius: values.map((_, i) => (alone(i) ? 3 : 0)),
          pointHoverRadius: 0,
          pointHitRadius: 0,
          spanGaps: false,
          tension: 0,
          order: before || goal ? 1 : 0,
        }
      }),
    }),
    [dates, series, status, stacked, tokens],
  )

  const options = useMemo<ChartOptions>(() => {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: still ? false : { duration: 200 },
      events: [],
      layout: { padding: { top: roomy ? 20 : 8 } },
      scales: {
        x: {
          offset: twin || series.some((one) => one.kind === 'bar'),
          stacked,
          grid: { display: false },
          border: { color: tokens.grid },
          ticks: {
            color: tokens.muted,
            font: { family: tokens.font, size: 12 },
            maxRotation: 0,
            autoSkipPadding: 28,
            callback: (_, i) => {
              const day = dates[i]
              return day === undefined
                ? ''
                : grain === 'month'
                  ? monthShort(day)
                  : dates.length <= 7
                    ? dayName(day).replace(/\s\S+$/, '')
                    : shortDay(day)
            },
          },
        },
        y: {
          stacked,
          beginAtZero: fromZero,
          ...(twin
            ? {
                afterFit: (axis: { width: number }) => {
                  axis.width = twinAxis
                },
              }
            : {}),
          ...(fromZero ? {} : { grace: '10%' }),
          border: { display: false },
          grid: { color: tokens.grid },
          ticks: {
            color: tokens.muted,
            font: { family: tokens.font, size: 12 },
            maxTicksLimit: 5,
            padding: 8,
            callback: (value) => formatAxis(Number(value), style),
          },
        },
      },
    }
    // The style is a small object made anew each time; its parts decide.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [
    dates,
    series,
    stacked,
    twin,
    fromZero,
    grain,
    roomy,
    tokens,
    style.unit,
    style.currency,
    style.locale,
  ])

  const read = (event: PointerEvent<HTMLDivElement>) => {
    const x = chart.current?.scales.x
    if (!x) return
    const at = x.getValueForPixel(event.clientX - event.currentTarget.getBoundingClientRect().left)
    if (at !== undefined) onActive(Math.max(0, Math.min(dates.length - 1, Math.round(at))))
  }

  return (
    <div
      aria-hidden="true"
      // A finger that goes sideways walks along the days, one that goes up or down scrolls the page as everywhere.
      className="chart-canvas absolute inset-0 touch-pan-y"
      onPointerDown={read}
      onPointerMove={read}
    >
      <ReactChart
        // The controllers and plugins belong to one drawing; a new theme or another kind starts afresh.
        key={`${theme}${series.map((one) => one.kind).join('')}${grain}${dates.length}${dates[0] ?? ''}${marked.flat().length}`}
        ref={(made) => {
          chart.current = made ?? null
        }}
        type={series[0]?.kind ?? 'line'}
        data={data}
        options={options}
        plugins={plugins}
      />
    </div>
  )
}
