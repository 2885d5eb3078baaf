import { useEffect, useRef } from 'react'
import { api } from '../../api/client'
import type { Integration } from '../../api/types'
import { useConfirmation } from '../../components/confirmations'
import { Failed } from '../../components/ui'
import { words } from '../../messages-integrations'
import { ConnectN8n } from './ConnectN8n'
import { ServiceAccount, useGoogleSignIn } from './Google'
import { useChanged, useIntegrations } from './queries'

interface Props {
  source: Integration
  onDone: (source: Integration) => void
  onCancel: () => void
}

/** The one way back in: a new key, or the sign-in at Google again. */
export function Reconnect(props: Props) {
  const ways = useIntegrations().data?.connectable.find(
    ({ connector }) => connector === props.source.connector,
  )
  if (props.source.connector === 'n8n') return <ConnectN8n {...props} />
  return props.source.grant === 'service_account' || ways?.signIn === false ? (
    <NewKey {...props} />
  ) : (
    <Google source={props.source} />
  )
}

function Google({ source }: { source: Integration }) {
  const { go, failed } = useGoogleSignIn()
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    void go(source.id)
  })
  return (
    <>
      {!failed && (
        <p role="status" className="mt-3 text-small text-muted">
          {words.google.going}
        </p>
      )}
      <Failed error={failed} />
    </>
  )
}

function NewKey({ source, onDone, onCancel }: Props) {
  const confirmed = useConfirmation()
  const changed = useChanged()
  return (
    <ServiceAccount
      again
      onCancel={onCancel}
      onGrant={async (grant) => {
        const again = await confirmed(() =>
          api.patch<Integration>(`integrations/${source.id}`, { grant }),
        )
        await changed()
        onDone(again)
      }}
    />
  )
}
