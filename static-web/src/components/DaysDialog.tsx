import { useState, type FormEvent } from 'react'
import { addDays } from '../lib/dates'
import { checkDays, earliest, type Wrong } from '../lib/days'
import { metric } from '../messages-metric'
import { settings } from '../messages-settings'
import { useUnsaved } from './form/useKept'
import { Dialog } from './Dialog'
import { primaryButton } from './buttons'
import { quietButton } from './Notice'
import { tab } from './tab'
import { Labelled } from './ui'

const text = metric.days

interface Props {
  days: { from: string; to: string }
  today: string
  timeZone: string
  onDays: (from: string, to: string) => void
  onClose: () => void
}

/** Any days from one to another. */
export default function DaysDialog(props: Props) {
  return (
    <Dialog title={text.title} open onClose={props.onClose}>
      <Days {...props} />
    </Dialog>
  )
}

function Days({ days, today, timeZone, onDays, onClose }: Props) {
  const [from, setFrom] = useState(days.from)
  const [to, setTo] = useState(days.to)
  const [wrong, setWrong] = useState<Wrong | null>(null)
  // Days of another day mean little: whoever leaves is asked, and the next dialog opens with the days that are shown.
  useUnsaved(from !== days.from || to !== days.to, () => {
    setFrom(days.from)
    setTo(days.to)
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const found = checkDays(from, to, today)
    setWrong(found)
    if (found) return
    onDays(from, to)
    onClose()
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
        <button type="button" className={quietButton} onClick={onClose}>
          {settings.common.cancel}
        </button>
        <button type="submit" className={primaryButton}>
          {text.apply}
        </button>
      </div>
    </form>
  )
}
