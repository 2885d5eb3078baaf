import { Link } from 'react-router'
import type { Integration } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { Notice, quietButton } from '../../components/Notice'
import { Failed, LoadFailed, Rows } from '../../components/ui'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { empty as text, welcome } from '../../messages-welcome'
import { useIntegrations, useMayChange } from '../integrations/queries'
import { isPushOnly } from '../integrations/words'
import { FirstReadings } from '../welcome/FirstReading'
import { useDemo, useOpenDemo } from '../welcome/demo'

/** An overview without a single number: why, and the one button that fills it. It gives way by itself as soon as a number is there. */
export default function Empty() {
  const query = useIntegrations()
  const all = query.data?.integrations
  if (query.isError && !all) return <LoadFailed error={query.error} retry={query.refetch} />
  if (!all)
    return (
      <div className="max-w-prose pt-8">
        <Rows count={2} />
      </div>
    )
  const read = all.filter((source) => !isPushOnly(source))
  return read.length === 0 ? <Nothing /> : <Waiting sources={read} />
}

/** Nothing is connected. */
function Nothing() {
  const { tenant } = useIdentity()
  const manage = useMayChange('manage_integrations')
  const push = useMay('push')
  const demo = useDemo(!tenant.isDemo)
  const { open, busy, failed } = useOpenDemo()
  if (!manage)
    return (
      <Notice title={text.none.title}>{text.none.viewer(messages.tenant.role[tenant.role])}</Notice>
    )
  return (
    <>
      <Notice
        title={text.none.title}
        action={
          <div className="flex flex-wrap items-center gap-3">
            <Link to="/welcome" className={primaryButton}>
              {text.none.action}
            </Link>
            {demo.data?.tenantId && (
              <button
                type="button"
                disabled={busy}
                className={quietButton}
                onClick={() => void open()}
              >
                {busy ? welcome.demo.opening : welcome.demo.title}
              </button>
            )}
          </div>
        }
      >
        {text.none.text}
      </Notice>
      <Failed error={failed} />
      {push && (
        <Link
          to="/integrations/import"
          className="tap -mt-6 inline-flex items-center text-small text-accent hover:underline"
        >
          {text.none.import}
        </Link>
      )}
    </>
  )
}

/** Something is connected, and nothing has come of it yet. */
function Waiting({ sources }: { sources: readonly Integration[] }) {
  const manage = useMayChange('manage_integrations')
  const stuck = sources.filter(
    ({ status }) => status === 'failing' || status === 'reconnect_needed',
  )
  const state = sources.some(({ status }) => status === 'syncing' || status === 'never_synced')
    ? 'reading'
    : stuck.length > 0
      ? 'failed'
      : sources.every(({ status }) => status === 'paused')
        ? 'paused'
        : 'nothing'
  return (
    <>
      <Notice title={text[state].title}>{text[state].text}</Notice>
      <FirstReadings sources={sources} />
      {state !== 'reading' && (
        <div className="mt-4 flex flex-wrap gap-3">
          <Link
            to={sources.length === 1 ? `/integrations/${sources[0]?.id ?? ''}` : '/integrations'}
            className={
              state === 'failed'
                ? 'tap inline-flex items-center text-small font-semibold text-accent hover:underline'
                : primaryButton
            }
          >
            {text.look}
          </Link>
          {manage && state === 'nothing' && (
            <Link to="/welcome" className={quietButton}>
              {text.another}
            </Link>
          )}
        </div>
      )}
    </>
  )
}
