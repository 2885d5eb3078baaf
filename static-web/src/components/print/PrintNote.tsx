import type { Summary } from '../../api/types'
import { clock, dayRange } from '../../lib/dates'
import { freshWords } from '../../lib/freshWords'
import { boards } from '../../messages-boards'

/** What a printed page says of itself: which days, how fresh, and what its signs mean. On screen it is not there. */
export function PrintNote({ summary }: { summary: Summary }) {
  return (
    <footer className="print-note num hidden text-small text-muted print:block">
      <p>
        {[
          dayRange(summary.from, summary.to),
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
