import { useEffect, useRef, type ReactNode } from 'react'
import { Link, type To } from 'react-router'
import { useSession } from '../../lib/session'
import { messages } from '../../messages'
import { account } from '../../messages-account'
import { Mark } from '../Mark'

let shownBefore = false

/** One calm column: what the pages around signing in look like. */
export function Frame({
  title,
  heading = title,
  lead,
  children,
  foot,
}: {
  /** Of the browser's tab, and the heading unless that says something else. */
  title: string
  heading?: string
  lead?: ReactNode
  children?: ReactNode
  /** Where else to go. */
  foot?: ReactNode
}) {
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    document.title = `${title} · ${messages.productShort}`
    // A new page takes the focus, so that keyboard and screen reader start at its top; not the first one, and not where a field has it already.
    if (shownBefore && !main.current?.contains(document.activeElement))
      main.current?.focus({ preventScroll: true })
    shownBefore = true
  }, [title])
  return (
    <main id="main" ref={main} tabIndex={-1} className="min-h-dvh px-6 pt-12 pb-12 sm:pt-[10dvh]">
      <div className="mx-auto w-full max-w-[22rem]">
        <Mark className="size-10" />
        <h1 className="mt-6 text-big font-semibold tracking-[-0.01em] [overflow-wrap:anywhere]">
          {heading}
        </h1>
        {lead && <div className="mt-1 text-muted [overflow-wrap:anywhere]">{lead}</div>}
        {children}
        {foot && <div className="mt-6 text-small text-muted">{foot}</div>}
      </div>
    </main>
  )
}

/** Something quiet that is said above a form. */
export function Said({ children, alert = false }: { children: ReactNode; alert?: boolean }) {
  return (
    <p
      role={alert ? 'alert' : 'status'}
      className="rounded bg-sunken px-3 py-2 text-small text-ink"
    >
      {children}
    </p>
  )
}

const way = 'tap inline-flex items-center text-small text-accent hover:underline'

/** A link among words, big enough for a thumb. */
export function Way({ to, state, children }: { to: To; state?: unknown; children: ReactNode }) {
  return (
    <Link to={to} state={state} className={way}>
      {children}
    </Link>
  )
}

/** On from here: to the overview, or to the sign-in for whom it would be closed. */
export function WayOn() {
  const { identity, restoring } = useSession()
  if (restoring) return null
  return identity ? (
    <Way to="/">{account.toOverview}</Way>
  ) : (
    <Way to="/sign-in">{account.toSignIn}</Way>
  )
}

export function WayButton({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" onClick={onClick} className={way}>
      {children}
    </button>
  )
}
