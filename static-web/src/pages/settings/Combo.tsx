import { ChevronDown } from 'lucide-react'
import { useId, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { settings } from '../../messages-settings'

export interface Choice {
  value: string
  label: string
  /** Said beside the label, and searched too. */
  hint?: string
}

const plain = (text: string) =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll(/[_/,]/g, ' ').toLowerCase()

/** A choice from many, found by typing: a combobox with a list, after the pattern of the ARIA practices. */
export function Combo({
  value,
  choices,
  onChange,
  disabled = false,
  className,
  ...described
}: {
  value: string
  choices: readonly Choice[]
  onChange: (value: string) => void
  disabled?: boolean
  id: string
  className: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}) {
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const list = useId()
  const box = useRef<HTMLDivElement>(null)
  const searchable = useMemo(
    () =>
      choices.map((choice) => ({
        choice,
        text: plain(`${choice.label} ${choice.hint ?? ''} ${choice.value}`),
      })),
    [choices],
  )
  const words = plain(typed).split(' ').filter(Boolean)
  const found = (
    words.length === 0
      ? searchable
      : searchable.filter(({ text }) => words.every((word) => text.includes(word)))
  ).map(({ choice }) => choice)
  const chosen = choices.find((choice) => choice.value === value)

  const show = () => {
    if (disabled || open) return
    setTyped('')
    const index = Math.max(
      0,
      choices.findIndex((choice) => choice.value === value),
    )
    setAt(index)
    setOpen(true)
    requestAnimationFrame(() => {
      box.current?.children[index]?.scrollIntoView({ block: 'nearest' })
    })
  }
  const walk = (to: number) => {
    const next = Math.min(Math.max(to, 0), found.length - 1)
    setAt(next)
    box.current?.children[next]?.scrollIntoView({ block: 'nearest' })
  }
  const take = (choice: Choice | undefined) => {
    if (choice) onChange(choice.value)
    setOpen(false)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (open) walk(at + (event.key === 'ArrowDown' ? 1 : -1))
      else show()
    } else if (event.key === 'Enter' && open) {
      event.preventDefault()
      take(found[at])
    } else if (event.key === 'Escape' && open) {
      event.preventDefault()
      event.stopPropagation()
      setOpen(false)
    }
  }
  return (
    <div className="relative">
      <input
        {...described}
        type="text"
        role="combobox"
        aria-expanded={open}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={open && found[at] ? `${list}-${at}` : undefined}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        disabled={disabled}
        placeholder={open ? (chosen?.label ?? settings.business.find) : undefined}
        value={open ? typed : (chosen?.label ?? value)}
        className={`${className} truncate pr-9 placeholder:text-muted`}
        onFocus={(event) => {
          event.target.select()
        }}
        onClick={show}
        onChange={(event) => {
          if (!open) setOpen(true)
          setTyped(event.target.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setOpen(false)
        }}
      />
      <ChevronDown
        aria-hidden="true"
        size={16}
        className="pointer-events-none absolute top-3.5 right-3 text-muted"
      />
      <div
        ref={box}
        id={list}
        role="listbox"
        aria-label={settings.business.find}
        hidden={!open}
        className="absolute top-full z-30 mt-1 max-h-64 w-full min-w-56 overflow-auto rounded border border-line bg-surface p-1 shadow-over"
      >
        {open &&
          found.map((choice, i) => (
            // The keys are handled by the input, which keeps the focus.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={choice.value}
              id={`${list}-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={choice.value === value}
              className={`flex min-h-11 cursor-pointer items-center justify-between gap-3 rounded px-3 ${i === at ? 'bg-sunken' : ''} ${choice.value === value ? 'font-semibold' : ''}`}
              onMouseDown={(event) => {
                event.preventDefault()
              }}
              onClick={() => {
                take(choice)
              }}
            >
              <span className="min-w-0 truncate">{choice.label}</span>
              {choice.hint && (
                <span className="shrink-0 text-small font-normal text-muted">{choice.hint}</span>
              )}
            </div>
          ))}
        {open && found.length === 0 && (
          <div role="presentation" className="px-3 py-2.5 text-small text-muted">
            {settings.business.noneFound}
          </div>
        )}
      </div>
    </div>
  )
}
