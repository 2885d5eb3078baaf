// The brief: what changed, in sentences made from the numbers of the summary and nothing else. Deterministic.
import type { Range, Summary, SummaryKpi } from '../api/types'
import { messages } from '../messages'
import { movesInPoints, toneOf, type Tone } from './change'
import { addDays, dayName } from './dates'
import { formatNumber, formatPercent, formatPoints } from './format'
import { beforeWords, pickHeadline } from './kpis'

export interface BriefLine {
  text: string
  tone: Tone | 'attention' | 'trouble'
  /** The number the sentence rests on, to be shown in the chart. */
  kpi: string | null
}

const worthSaying = 0.03

/**
 * Whether a change is more than the noise of counting: for counts, more than two standard deviations of the
 * difference of two Poisson counts, 2·√(a + b). Other units carry no such rule.
 */
export function beyondNoise(
  kpi: Pick<SummaryKpi, 'unit' | 'aggregation' | 'value' | 'previous'>,
): boolean {
  if (kpi.value === null || kpi.previous === null) return false
  if (kpi.unit !== 'count') return true
  return Math.abs(kpi.value - kpi.previous) > 2 * Math.sqrt(kpi.value + kpi.previous)
}

function movers(kpis: readonly SummaryKpi[]) {
  return kpis
    .filter(
      (kpi): kpi is SummaryKpi & { change: number; value: number; previous: number } =>
        kpi.change !== null &&
        kpi.value !== null &&
        kpi.previous !== null &&
        kpi.direction !== 'neutral' &&
        Math.abs(kpi.change) >= worthSaying &&
        beyondNoise(kpi),
    )
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.key.localeCompare(b.key))
}

function moverLine(
  kpi: SummaryKpi & { change: number; value: number; previous: number },
  before: string,
  locale?: string,
): BriefLine {
  const moved = movesInPoints(kpi) ? kpi.value - kpi.previous : kpi.change
  const by = movesInPoints(kpi)
    ? messages.pointsLong(formatPoints(moved, locale))
    : formatPercent(moved, locale)
  const say = moved > 0 ? messages.brief.above : messages.brief.below
  return {
    text: say(kpi.name, by, before),
    tone: toneOf(Math.sign(moved), kpi.direction),
    kpi: kpi.key,
  }
}

export function makeBrief(summary: Summary, range: Range, locale?: string): BriefLine[] {
  const lines: BriefLine[] = []
  const top = pickHeadline(summary.kpis)
  const before = beforeWords(range, summary.compare)
  const measured = summary.kpis.filter((kpi) => kpi.value !== null)

  if (measured.length === 0) lines.push({ text: messages.brief.empty, tone: 'plain', kpi: null })
  else if (summary.compare === 'none')
    lines.push({
      text: messages.brief.noCompare(messages.ranges[range].noun),
      tone: 'plain',
      kpi: null,
    })
  else {
    const moved = movers(top)
    const first = moved[0]
    if (first) {
      lines.push(moverLine(first, before, locale))
      // One that went the other way, if there is one: good news alone is half the truth.
      const tone = lines[0]?.tone
      const second = moved
        .slice(1)
        .find((kpi) => toneOf(Math.sign(kpi.change), kpi.direction) !== tone)
      if (second) lines.push(moverLine(second, before, locale))
    } else {
      const shown = top.filter((kpi) => kpi.value !== null)
      const comparable = shown.filter((kpi) => kpi.change !== null)
      // "Nothing moved" is a claim about most of what is shown, or it is not made.
      lines.push({
        text:
          comparable.length * 2 > shown.length
            ? messages.brief.quiet(before)
            : messages.brief.notComparable(before),
        tone: 'plain',
        kpi: null,
      })
    }
  }

  const failed = summary.kpis.find((kpi) => kpi.key === 'automation.failed')
  const rate = summary.kpis.find((kpi) => kpi.key === 'automation.success_rate')
  if (failed?.value && rate?.value !== null && rate?.value !== undefined) {
    const share = formatNumber(rate.value, { unit: 'ratio', locale })
    lines.push({
      text:
        failed.value === 1
          ? messages.brief.oneFailure(share)
          : messages.brief.failures(
              formatNumber(failed.value, { unit: 'count', locale }, 'table'),
              share,
            ),
      tone: rate.value < 0.95 ? 'attention' : 'plain',
      kpi: failed.key,
    })
  }

  for (const { completeThrough, displayName } of summary.freshness) {
    if (completeThrough === null) continue
    const since = addDays(completeThrough, 1)
    // Yesterday may still be on its way. When the day before it has nothing either, that is news.
    const silent = addDays(since, 2) <= summary.today
    if (silent || completeThrough < summary.to)
      lines.push({
        text: silent
          ? messages.brief.silent(displayName, dayName(since, locale))
          : messages.brief.complete(
              displayName,
              dayName(completeThrough, locale),
              summary.freshness.length > 1,
            ),
        tone: 'attention',
        kpi: null,
      })
  }
  for (const source of summary.freshness) {
    if (source.status !== 'reconnect_needed' && source.status !== 'failing') continue
    const why = source.message ?? messages.fresh.explain[source.status]
    const named = why.toLowerCase().includes(source.displayName.split(' ')[0]?.toLowerCase() ?? '')
    lines.push({ text: named ? why : `${source.displayName}: ${why}`, tone: 'trouble', kpi: null })
  }
  // What changed comes first; then what is broken, what needs an eye, and the rest.
  const [lead, ...rest] = lines
  const urgency = (line: BriefLine) =>
    line.tone === 'trouble' ? 0 : line.tone === 'attention' ? 1 : 2
  return lead ? [lead, ...rest.sort((a, b) => urgency(a) - urgency(b))] : []
}
