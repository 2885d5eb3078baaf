import { useEffect } from 'react'
import { Navigate, useLocation, useSearchParams } from 'react-router'
import { secretsOf } from '../../lib/shared'
import { useSession } from '../../lib/session'
import { useNewVersion, useServiceWorker } from '../../lib/worker'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { Chooser } from './Chooser'
import { OwnScreens, SharedScreens } from './sources'

/** Dashboards on a wall: one's own when signed in, or those of links. */
export default function Tv() {
  const { hash, pathname, search } = useLocation()
  const [params] = useSearchParams()
  const { identity, restoring } = useSession()
  const secrets = secretsOf(hash)
  const chosen = (params.get('boards') ?? '').split(',').filter((id) => /^[\da-f-]{36}$/.test(id))
  useServiceWorker()
  useNewVersion(() => {
    location.reload()
  })
  useEffect(() => {
    document.title = `${boards.tvMode.title} · ${messages.productShort}`
  }, [])
  if (secrets.length > 0) return <SharedScreens secrets={secrets} />
  if (!identity)
    return restoring ? null : <Navigate to="/sign-in" replace state={{ from: pathname + search }} />
  return chosen.length > 0 ? <OwnScreens ids={chosen.slice(0, 20)} /> : <Chooser />
}
