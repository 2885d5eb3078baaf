import { TriangleAlert } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { adopt, ApiError, type Elsewhere } from '../api/client'
import { primaryButton } from '../components/buttons'
import { quietButton } from '../components/Notice'
import { showCurrent, stay } from '../lib/apart'
import { useSession } from '../lib/session'
import { messages } from '../messages'
import { later } from '../messages-later'

const text = later.tabs

/** What another tab did to the session: said plainly, and left to the person what this tab does. Nothing that was typed here is lost by it. */
export default function TabNotice() {
  const { elsewhere, identity } = useSession()
  if (!elsewhere || !identity) return null
  // Each happening anew.
  return <Happened key={JSON.stringify(elsewhere)} what={elsewhere} here={identity.tenant.name} />
}

function Happened({ what, here }: { what: Elsewhere; here: string }) {
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string | null>(null)
  const go = (work: () => Promise<unknown>) => {
    setBusy(true)
    setFailed(null)
    work()
      .catch((error: unknown) => {
        setFailed(error instanceof ApiError ? error.message : messages.errors.unreachable)
      })
      .finally(() => {
        setBusy(false)
      })
  }
  const button = (label: string, kind: string, work: () => Promise<unknown>) => (
    <button
      type="button"
      disabled={busy}
      className={kind}
      onClick={() => {
        go(work)
      }}
    >
      {label}
    </button>
  )
  const words =
    what.kind === 'switched'
      ? [text.switched(what.name), text.stillShows(here)]
      : what.kind === 'removed'
        ? [text.removed(here), text.stillShows(here)]
        : what.kind === 'other-person'
          ? [text.otherPerson(what.name), text.otherPersonMore]
          : [text.signedOut, text.signedOutMore]
  return (
    <Place over={what.covers === true}>
      <div role="alert" className="flex min-w-0 flex-1 basis-72 gap-3 [overflow-wrap:anywhere]">
        <TriangleAlert aria-hidden="true" size={18} className="mt-0.5 shrink-0 text-attention" />
        <div>
          <p className="font-semibold">{words[0]}</p>
          <p className="text-small text-muted">{words[1]}</p>
          {failed && <p className="text-small text-trouble">{failed}</p>}
        </div>
      </div>
      <div className="flex flex-wrap gap-3">
        {what.kind === 'signed-out' ? (
          button(text.signIn, primaryButton, async () => {
            adopt(null)
            await Promise.resolve()
          })
        ) : (
          <>
            {what.kind === 'switched' && button(text.back(here), primaryButton, stay)}
            {button(
              what.kind === 'other-person' ? text.goOnAs(what.name) : text.show(what.name),
              what.kind === 'switched' ? quietButton : primaryButton,
              showCurrent,
            )}
          </>
        )}
      </div>
    </Place>
  )
}

const box = 'flex flex-wrap items-center gap-x-6 gap-y-3 bg-surface px-4 py-3 text-ink sm:px-8'

/** Above the page, where no form has its buttons; over all of it where nothing of it may be seen, or where an open dialog keeps everything else out of reach. */
function Place({ over, children }: { over: boolean; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null)
  const [modal] = useState(() => over || document.querySelector('dialog:modal') !== null)
  useEffect(() => {
    if (modal && !ref.current?.open) ref.current?.showModal()
  }, [modal])
  return modal ? (
    <dialog
      ref={ref}
      aria-label={text.label}
      onCancel={(event) => {
        event.preventDefault()
      }}
      className={`m-auto w-[min(34rem,calc(100vw-2rem))] rounded border border-line shadow-over open:flex ${box}`}
    >
      {children}
    </dialog>
  ) : (
    <section
      aria-label={text.label}
      className={`sticky top-0 z-40 border-b border-line shadow-over print:hidden ${box}`}
    >
      {children}
    </section>
  )
}
