import { useEffect } from 'react'
import type { Summary } from '../../api/types'
import { clock, dayRange } from '../../lib/dates'
import { freshWords } from '../../lib/freshWords'
import { boards } from '../../messages-boards'

interface Props {
  business: string
  summary: Pick<
    Summary,
    'from' | 'to' | 'compareFrom' | 'compareTo' | 'compareNote' | 'freshness' | 'timeZone'
  >
}

/** What a printed page says of itself: which days, how fresh, and what its signs mean. On screen it is not there. */
export function PrintNote({ business, summary }: Props) {
  const days = dayRange(summary.from, summary.to)
  // The margin of every sheet says whose numbers these are (print.css): one that lost its first page is still known.
  useEffect(() => {
    const { style } = document.documentElement
    style.setProperty('--paper-foot', JSON.stringify(`${business} · ${days}`))
    return () => {
      style.removeProperty('--paper-foot')
    }
  }, [business, days])
  return (
    <footer className="print-note num hidden text-small text-muted print:block">
      <p>
        {[
          days,
          summary.compareFrom && summary.compareTo
            ? boards.pdf.compared(dayRange(summary.compareFrom, summary.compareTo))
            : null,
          summary.compareNote,
          freshWords(summary),
          boards.pdf.made(clock(new Date().toISOString(), summary.timeZone, new Date(0))),
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <p>{boards.pdf.notes}</p>
    </footer>
  )
}
