import { useId, useRef, useState, type KeyboardEvent } from 'react'
import type { CatalogueKpi } from '../../api/types'
import { Labelled } from '../../components/ui'
import { calculated } from '../../messages-calculated'
import { complete, suggest, wordAt } from './complete'

const text = calculated.form

interface Props {
  value: string
  onChange: (formula: string) => void
  kpis: readonly CatalogueKpi[]
  error: string | undefined
}

/** A formula, with the keys of KPIs completed while they are typed: a combobox with a list, after the pattern of the ARIA practices. */
export function FormulaField({ value, onChange, kpis, error }: Props) {
  const list = useId()
  const input = useRef<HTMLInputElement>(null)
  const [caret, setCaret] = useState<number | null>(null)
  const [at, setAt] = useState(0)
  const found = caret === null ? [] : suggest(wordAt(value, caret).word, kpis)
  const open = found.length > 0
  const current = found[Math.min(at, found.length - 1)]

  const take = (insert: string) => {
    const next = complete(value, caret ?? value.length, insert)
    onChange(next.formula)
    setCaret(null)
    requestAnimationFrame(() => {
      input.current?.focus()
      input.current?.setSelectionRange(next.caret, next.caret)
    })
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (!open || event.nativeEvent.isComposing) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setAt((at + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length)
    } else if ((event.key === 'Enter' || event.key === 'Tab') && current && !event.shiftKey) {
      event.preventDefault()
      take(current.insert)
    } else if (event.key === 'Escape') {
      event.stopPropagation()
      setCaret(null)
    }
  }
  return (
    <Labelled label={text.formula} hint={text.formulaHint} error={error}>
      {({ className, ...props }) => (
        <div className="relative">
          <input
            {...props}
            ref={input}
            role="combobox"
            aria-expanded={open}
            aria-controls={open ? list : undefined}
            aria-activedescendant={open ? `${list}-${Math.min(at, found.length - 1)}` : undefined}
            aria-autocomplete="list"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={500}
            value={value}
            className={`${className} font-mono`}
            onChange={(event) => {
              onChange(event.target.value)
              setCaret(event.target.selectionStart)
              setAt(0)
            }}
            onKeyDown={onKeyDown}
            onBlur={() => {
              setCaret(null)
            }}
          />
          <span role="status" className="sr-only">
            {open ? text.completionCount(found.length) : ''}
          </span>
          {open && (
            <div
              id={list}
              role="listbox"
              aria-label={text.completions}
              className="absolute inset-x-0 top-full z-20 mt-1 max-h-80 overflow-auto rounded border border-line bg-surface p-1 shadow-over"
            >
              {found.map((one, i) => (
                // The keys are the input's: the list is pointed at, not walked.
                // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
                <div
                  key={one.insert}
                  id={`${list}-${i}`}
                  role="option"
                  aria-selected={one === current}
                  className={`tap flex cursor-pointer items-center justify-between gap-4 rounded px-3 ${one === current ? 'bg-sunken' : ''}`}
                  onPointerDown={(event) => {
                    // The input keeps the focus.
                    event.preventDefault()
                  }}
                  onPointerEnter={() => {
                    setAt(i)
                  }}
                  onClick={() => {
                    take(one.insert)
                  }}
                >
                  <span className="min-w-0 wrap-anywhere">{one.name}</span>
                  <code className="min-w-0 truncate text-small text-muted">{one.insert}</code>
                </div>
              ))}
            </div>
          )}
        </div>
      )}
    </Labelled>
  )
}
