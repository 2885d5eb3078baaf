import { useState, type ReactNode } from 'react'
import { dayRange } from '../../lib/dates'
import { later } from '../../messages-later'
import type { ChartNote } from './notes'

const text = later.chart

/** The mark of a note, as the chart draws it: told apart by its shape. */
export function NoteMark({ kind }: { kind: ChartNote['kind'] }) {
  return (
    <svg
      role="img"
      aria-label={text.noteKind[kind]}
      viewBox="0 0 12 12"
      className="size-3 shrink-0 translate-y-px"
    >
      {kind === 'note' ? (
        <path d="M2 1h8v6H7.5L6 10 4.5 7H2z" className="fill-ink" />
      ) : kind === 'system' ? (
        <path
          d="M6 1.5 10.5 6 6 10.5 1.5 6z"
          className="fill-none stroke-muted"
          strokeWidth="1.5"
        />
      ) : (
        <circle cx="6" cy="6" r="4" className="fill-none stroke-attention" strokeWidth="2" />
      )}
    </svg>
  )
}

/** What is marked on the chart above, in words. */
export function NoteList({
  name,
  notes,
  most = 3,
  action,
}: {
  name: string
  notes: readonly ChartNote[]
  most?: number
  action?: (note: ChartNote) => ReactNode
}) {
  const [all, setAll] = useState(false)
  if (notes.length === 0) return null
  // The newest first: older ones are seldom asked about.
  const sorted = [...notes].sort((a, b) => (a.from < b.from ? 1 : a.from > b.from ? -1 : 0))
  const shown = all ? sorted : sorted.slice(0, most)
  return (
    <div className="mt-3 border-t border-line pt-3 text-small">
      <ul aria-label={text.notesOf(name)}>
        {shown.map((note, i) => (
          <li key={`${note.id ?? i}${note.from}${note.text}`} className="flex items-start gap-2">
            <span className="flex h-5 items-center">
              <NoteMark kind={note.kind} />
            </span>
            <span className="min-w-0 flex-1 pb-1 [overflow-wrap:anywhere]">
              <span className="num text-muted">{dayRange(note.from, note.to)}</span> {note.text}
              {note.by && <span className="text-muted"> {text.by(note.by)}</span>}
            </span>
            {action?.(note)}
          </li>
        ))}
      </ul>
      {sorted.length > most && !all && (
        <button
          type="button"
          className="tap text-accent hover:underline"
          onClick={() => {
            setAll(true)
          }}
        >
          {text.moreNotes(sorted.length - most)}
        </button>
      )}
    </div>
  )
}
