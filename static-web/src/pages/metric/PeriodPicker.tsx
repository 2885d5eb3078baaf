import { ChevronDown } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import type { Compare, Grain } from '../../api/types'
import { Dialog } from '../../components/Dialog'
import { primaryButton, quietButton } from '../../components/Notice'
import { Labelled } from '../../components/ui'
import { addDays, dayRange } from '../../lib/dates'
import { comparisons, ranges } from '../../lib/range'
import { messages } from '../../messages'
import { metric } from '../../messages-metric'
import { settings } from '../../messages-settings'
import { checkDays, earliest, type useMetricAddress, type Wrong } from './address'

const text = metric.days
const tab = (on: boolean) =>
  `tap relative px-1.5 text-small whitespace-nowrap after:absolute after:inset-x-1.5 after:bottom-1.5 after:h-0.5 after:rounded-full ${on ? 'font-semibold text-ink after:bg-accent' : 'text-muted hover:text-ink'}`

interface Props {
  address: ReturnType<typeof useMetricAddress>
  days: { from: string; to: string }
  today: string
  timeZone: string
}

/** Which days: a preset, or any from one to another; and against which. */
export function PeriodPicker({ address, days, today, timeZone }: Props) {
  const [open, setOpen] = useState(false)
  const own = address.range === null
  return (
    <div className="flex flex-col lg:items-end">
      <div role="group" aria-label={messages.rangeLabel} className="-mx-1.5 flex flex-wrap">
        {ranges.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={address.range === one}
            onClick={() => {
              address.setRange(one)
            }}
            className={tab(address.range === one)}
          >
            {messages.ranges[one].label}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={own}
          aria-haspopup="dialog"
          onClick={() => {
            setOpen(true)
          }}
          className={tab(own)}
        >
          {text.own}
        </button>
      </div>
      <div className="flex h-6 items-center gap-1 text-small whitespace-nowrap text-muted">
        <span className="num">{dayRange(days.from, days.to, today)}</span>
        <span aria-hidden="true">{messages.versus}</span>
        <label className="relative -my-2.5 flex items-center">
          <span className="sr-only">{messages.compareLabel}</span>
          <select
            value={address.compare}
            onChange={(event) => {
              address.setCompare(event.target.value as Compare)
            }}
            className="h-11 [field-sizing:content] appearance-none rounded bg-transparent pr-5 pl-0.5 text-ink"
          >
            {comparisons.map((one) => (
              <option key={one} value={one}>
                {messages.compare[one]}
              </option>
            ))}
          </select>
          <ChevronDown
            aria-hidden="true"
            size={14}
            className="pointer-events-none absolute right-1"
          />
        </label>
      </div>
      <Dialog
        title={text.title}
        open={open}
        onClose={() => {
          setOpen(false)
        }}
      >
        {open && (
          <Days
            days={days}
            today={today}
            timeZone={timeZone}
            onDays={(from, to) => {
              setOpen(false)
              address.setDays(from, to)
            }}
            onCancel={() => {
              setOpen(false)
            }}
          />
        )}
      </Dialog>
    </div>
  )
}

function Days({
  days,
  today,
  timeZone,
  onDays,
  onCancel,
}: {
  days: { from: string; to: string }
  today: string
  timeZone: string
  onDays: (from: string, to: string) => void
  onCancel: () => void
}) {
  const [from, setFrom] = useState(days.from)
  const [to, setTo] = useState(days.to)
  const [wrong, setWrong] = useState<Wrong | null>(null)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const found = checkDays(from, to, today)
    setWrong(found)
    if (!found) onDays(from, to)
  }
  const monthStart = `${today.slice(0, 8)}01`
  const lastMonthEnd = addDays(monthStart, -1)
  const quick = [
    { name: text.months.this, from: monthStart, to: today },
    { name: text.months.last, from: `${lastMonthEnd.slice(0, 8)}01`, to: lastMonthEnd },
    { name: text.months.year, from: `${today.slice(0, 5)}01-01`, to: today },
  ]
  return (
    <form noValidate onSubmit={submit}>
      <div className="-mx-1.5 flex flex-wrap">
        {quick.map((one) => (
          <button
            key={one.name}
            type="button"
            className={tab(one.from === from && one.to === to)}
            onClick={() => {
              setFrom(one.from)
              setTo(one.to)
              setWrong(null)
            }}
          >
            {one.name}
          </button>
        ))}
      </div>
      <div className="mt-2 grid gap-4 sm:grid-cols-2">
        <Labelled label={text.from} error={wrong?.from}>
          {(props) => (
            <input
              {...props}
              type="date"
              min={earliest}
              max={today}
              value={from}
              onChange={(event) => {
                setFrom(event.target.value)
              }}
            />
          )}
        </Labelled>
        <Labelled label={text.to} error={wrong?.to}>
          {(props) => (
            <input
              {...props}
              type="date"
              min={earliest}
              max={today}
              value={to}
              onChange={(event) => {
                setTo(event.target.value)
              }}
            />
          )}
        </Labelled>
      </div>
      <p className="mt-3 text-small text-muted">{text.zone(timeZone)}</p>
      <div className="mt-6 flex flex-wrap justify-end gap-3">
        <button type="button" className={quietButton} onClick={onCancel}>
          {settings.common.cancel}
        </button>
        <button type="submit" className={primaryButton}>
          {text.apply}
        </button>
      </div>
    </form>
  )
}

/** What one point of the chart is. */
export function GrainSwitch({
  value,
  onChange,
}: {
  value: Grain
  onChange: (grain: Grain) => void
}) {
  return (
    <div role="group" aria-label={metric.grainLabel} className="-mx-1.5 flex">
      {(['day', 'week', 'month'] as const).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === value}
          className={tab(one === value)}
          onClick={() => {
            onChange(one)
          }}
        >
          {metric.grain[one]}
        </button>
      ))}
    </div>
  )
}
