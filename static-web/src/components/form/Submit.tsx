import { primaryButton } from '../buttons'

/** What stands at the end of a form: what went wrong as a whole, and the button. */
export function Submit({
  error,
  busy,
  children,
  busyText,
}: {
  error?: string | undefined
  busy: boolean
  children: string
  busyText: string
}) {
  return (
    <>
      {error && (
        <p role="alert" className="text-small text-trouble">
          {error}
        </p>
      )}
      {/* Not disabled while it works: the focus would be lost. */}
      <button
        type={busy ? 'button' : 'submit'}
        aria-disabled={busy}
        className={`${primaryButton} h-12 w-full aria-disabled:opacity-60`}
      >
        {busy ? busyText : children}
      </button>
    </>
  )
}
