import {
  createContext,
  use,
  useEffect,
  useId,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react'

interface Props {
  /** What the button says to those who do not see it, where it has no words of its own. */
  label?: string
  button: ReactNode
  buttonClass?: string
  /** Which edge of the button the panel hangs from. */
  align?: 'left' | 'right'
  children: ReactNode
}

const Close = createContext<() => void>(() => undefined)

/** Closes the menu around a control; does nothing where there is none. */
export const useCloseMenu = () => use(Close)

/** A button with a panel under it. Escape, a click elsewhere and leaving with Tab close it; arrows walk its controls. */
export function Menu({ label, button, buttonClass = '', align = 'left', children }: Props) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const trigger = useRef<HTMLButtonElement>(null)
  const panel = useId()

  useEffect(() => {
    if (!open) return
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
    }
  }, [open])

  const close = () => {
    setOpen(false)
    trigger.current?.focus()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return
    if (event.key === 'Escape') {
      event.stopPropagation()
      close()
      return
    }
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step === 0) return
    const controls = [
      ...(root.current?.querySelectorAll<HTMLElement>('[data-panel] :is(a, button)') ?? []),
    ]
    if (controls.length === 0) return
    event.preventDefault()
    const at = controls.indexOf(document.activeElement as HTMLElement)
    controls[(at + step + controls.length) % controls.length]?.focus()
  }

  return (
    // The handlers only add keys to what the buttons inside already do.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      ref={root}
      className="relative"
      onKeyDown={onKeyDown}
      onBlur={(event) => {
        if (event.relatedTarget && !root.current?.contains(event.relatedTarget)) setOpen(false)
      }}
    >
      <button
        ref={trigger}
        type="button"
        aria-label={label}
        aria-expanded={open}
        aria-controls={open ? panel : undefined}
        className={buttonClass}
        onClick={() => {
          setOpen(!open)
        }}
      >
        {button}
      </button>
      {open && (
        <div
          id={panel}
          data-panel
          className={`arrive absolute top-full z-30 mt-1 min-w-60 rounded border border-line bg-surface p-1 shadow-over ${align === 'right' ? 'right-0' : 'left-0'}`}
        >
          <Close value={close}>{children}</Close>
        </div>
      )}
    </div>
  )
}
