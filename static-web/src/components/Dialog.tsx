import { X } from 'lucide-react'
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { messages } from '../messages'

interface Props {
  title: string
  open: boolean
  onClose: () => void
  /** For what is read and not filled in. */
  wide?: boolean
  children: ReactNode
}

/** The browser's own modal dialog: it keeps the focus, closes on Escape and gives the focus back. */
export function Dialog({ title, open, onClose, wide, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const dialog = ref.current
    if (open && !dialog?.open) dialog?.showModal()
    if (!open && dialog?.open) dialog.close()
  }, [open])
  return (
    <dialog
      ref={ref}
      aria-labelledby={heading}
      onClose={onClose}
      className={`m-auto rounded border border-line bg-surface text-ink shadow-over ${wide ? 'w-[min(46rem,calc(100vw-1rem))] p-4 sm:p-6' : 'w-[min(26rem,calc(100vw-2rem))] p-6'}`}
    >
      <div className="-mt-2 mb-2 flex items-start justify-between [&>h2]:pt-2.5">
        <h2 id={heading} className="min-w-0 text-lead font-semibold wrap-anywhere">
          {title}
        </h2>
        <button
          type="button"
          onClick={onClose}
          aria-label={messages.menu.close}
          className="tap -mr-3 grid place-items-center rounded text-muted hover:text-ink"
        >
          <X aria-hidden="true" size={18} />
        </button>
      </div>
      {children}
    </dialog>
  )
}
