import { primaryButton } from '../Notice'

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
      <button type="submit" disabled={busy} className={`${primaryButton} h-12 w-full`}>
        {busy ? busyText : children}
      </button>
    </>
  )
}
