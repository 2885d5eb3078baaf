import { useState } from 'react'
import { useNavigate } from 'react-router'
import { leaveTenant } from '../lib/apart'
import { Failed } from '../components/ui'
import { useIdentity, useSession } from '../lib/session'
import { welcome } from '../messages-welcome'

const text = welcome.demo
const way = 'tap font-semibold text-accent-strong hover:underline disabled:opacity-60'

/** Over every page of the demonstration, to somebody with a business of its own: what this is, the way back, and the way out. */
export default function Guest() {
  const { tenant, tenants } = useIdentity()
  const { switchTenant } = useSession()
  const navigate = useNavigate()
  const [busy, setBusy] = useState<'back' | 'remove' | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  const home = tenants.find((one) => one.id !== tenant.id)
  if (!home) return null
  const go = async (what: NonNullable<typeof busy>, work: () => Promise<unknown>) => {
    if (busy) return
    setBusy(what)
    setFailed(null)
    try {
      await work()
      await navigate('/')
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(null)
    }
  }
  return (
    <aside
      aria-label={text.bannerLabel}
      className="border-b border-line bg-accent-soft px-4 py-1 text-small sm:px-8 print:border-0"
    >
      <div className="flex flex-wrap items-center gap-x-4 [overflow-wrap:anywhere]">
        <p className="py-1 font-semibold">{text.banner(tenant.name)}</p>
        <button
          type="button"
          disabled={busy !== null}
          className={`${way} print:hidden`}
          onClick={() => void go('back', () => switchTenant(home.id))}
        >
          {text.back(home.name)}
        </button>
        <button
          type="button"
          disabled={busy !== null}
          className={`${way} print:hidden`}
          onClick={() =>
            // The session goes on in the person's own business.
            void go('remove', () => leaveTenant())
          }
        >
          {busy === 'remove' ? text.removing : text.remove}
        </button>
      </div>
      <Failed error={failed} />
    </aside>
  )
}
