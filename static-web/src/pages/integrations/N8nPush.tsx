import { useState } from 'react'
import { Link } from 'react-router'
import { api, ApiError, base } from '../../api/client'
import type { FreshToken } from '../../api/types'
import { useKept } from '../../components/form/useKept'
import { useConfirmation } from '../../components/confirmations'
import { CopyButton, Failed, Labelled, Secret, Section, small } from '../../components/ui'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { useOfTenant, useReload } from '../settings/queries'
import type { Tokens } from '../../api/types'
import { addressesIn, ago } from '../settings/words'
import { act } from './parts'
import { useMayChange } from './queries'
import { apiOf, n8nAddress, n8nCurl, n8nNames, n8nNodes, n8nSigned } from './snippets'

const text = words.push
const origin = () => apiOf(base, location.origin)
const ways = ['n8n', 'curl', 'names', 'signed'] as const

/** How an n8n tells of its runs as they happen: address, token, what to paste, and whether it arrives. */
export default function N8nPush() {
  const [open, setOpen] = useState(false)
  return (
    <Section title={text.title} lead={text.lead} id="push">
      {open ? (
        <Steps />
      ) : (
        <button
          type="button"
          aria-expanded={false}
          className={act}
          onClick={() => {
            setOpen(true)
          }}
        >
          {text.open}
        </button>
      )}
    </Section>
  )
}

function Steps() {
  const { tenant } = useIdentity()
  const tokens = useMayChange('manage_tokens')
  const list = useOfTenant<Tokens>('tokens', 'tokens', tokens)
  const confirmed = useConfirmation()
  const reload = useReload()
  const [way, setWay] = useState<(typeof ways)[number]>('n8n')
  const [fresh, setFresh] = useState<FreshToken | null>(null)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const [from, setFrom, fromDone] = useKept('push-from', '')
  const [now] = useState(() => new Date())
  const token = fresh?.token ?? text.placeholder
  const snippet =
    way === 'n8n'
      ? n8nNodes(origin(), token)
      : way === 'curl'
        ? n8nCurl(origin(), token, now)
        : way === 'names'
          ? n8nNames(origin(), token, now)
          : n8nSigned(
              origin(),
              fresh?.id ?? 'TOKEN_ID',
              fresh?.signingSecret ?? 'whsec_YOUR_SECRET',
              now,
            )
  const make = async () => {
    setBusy(true)
    setFailed(null)
    try {
      setFresh(
        await confirmed(() =>
          api.post<FreshToken>('tokens', {
            name: text.tokenName,
            scopes: ['n8n'],
            expiresAt: null,
            allowedAddresses: addressesIn(from),
          }),
        ),
      )
      fromDone()
      await reload('tokens')
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  const wrong = failed instanceof ApiError ? failed.fields.allowedAddresses : undefined
  const own = (list.data?.tokens ?? []).filter(({ scopes }) => scopes.includes('n8n'))
  const last = own
    .filter((one) => one.lastUsedAt !== null)
    .sort((a, b) => Date.parse(b.lastUsedAt ?? '') - Date.parse(a.lastUsedAt ?? ''))[0]
  return (
    <div className="max-w-[44rem] space-y-6">
      <div>
        <h3 className="mb-1 text-small font-semibold">{text.steps.address}</h3>
        <div className="flex items-start gap-2">
          <code className="min-w-0 flex-1 rounded bg-sunken px-3 py-2.5 font-mono text-small break-all">
            {n8nAddress(origin())}
          </code>
          <CopyButton text={n8nAddress(origin())} label={text.addressCopy} />
        </div>
      </div>
      <div>
        <h3 className="text-small font-semibold">{text.steps.token}</h3>
        {fresh ? (
          <div className="mt-2 space-y-4">
            <p role="status" className="text-small text-muted">
              {text.tokenFresh}
            </p>
            <Secret label={text.tokenLabel} value={fresh.token} copy={text.tokenCopy} />
            <Secret label={text.secretLabel} value={fresh.signingSecret} copy={text.secretCopy} />
          </div>
        ) : (
          <>
            <p className="mb-2 text-small text-muted">{tokens ? text.tokenText : text.tokenNot}</p>
            {tokens && (
              <>
                <Labelled label={text.from} hint={text.fromHint} error={wrong?.[0]}>
                  {(props) => (
                    <textarea
                      {...props}
                      rows={2}
                      spellCheck={false}
                      autoComplete="off"
                      value={from}
                      onChange={(event) => {
                        setFrom(event.target.value)
                      }}
                    />
                  )}
                </Labelled>
                <div className="mt-3 flex flex-wrap gap-2">
                  <button type="button" disabled={busy} className={act} onClick={() => void make()}>
                    {busy ? text.tokenMaking : text.tokenMake}
                  </button>
                  <Link to="/settings/tokens" className={`${small} text-accent-strong`}>
                    {text.tokenAll}
                  </Link>
                </div>
              </>
            )}
            <Failed error={wrong ? null : failed} />
          </>
        )}
      </div>
      <div>
        <h3 className="mb-2 text-small font-semibold">{text.steps.nodes}</h3>
        <div role="group" aria-label={text.waysLabel} className="flex flex-wrap gap-x-1">
          {ways.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === way}
              className={`${small} ${one === way ? 'bg-sunken' : 'font-normal! text-muted hover:text-ink'}`}
              onClick={() => {
                setWay(one)
              }}
            >
              {text.ways[one]}
            </button>
          ))}
        </div>
        <div className="mt-2 mb-2 flex items-start justify-between gap-4">
          <p className="text-small text-muted">{text.about[way]}</p>
          <CopyButton text={snippet} label={`${text.copy}: ${text.ways[way]}`} />
        </div>
        <pre
          role="region"
          aria-label={text.snippet}
          tabIndex={0}
          className="max-h-72 overflow-auto rounded bg-sunken px-3 py-2.5 font-mono text-small break-all whitespace-pre-wrap"
        >
          {snippet}
        </pre>
        {way === 'n8n' && <Places />}
      </div>
      {tokens && (
        <div>
          <h3 className="text-small font-semibold">{text.steps.test}</h3>
          <div className="flex flex-wrap items-center justify-between gap-x-4">
            <p role="status" className="text-small text-muted">
              {list.data
                ? last?.lastUsedAt
                  ? text.lastUsed(ago(last.lastUsedAt, tenant.timeZone, new Date()), last.name)
                  : own.length > 0
                    ? text.lastNever
                    : text.lastNoToken
                : ''}
            </p>
            <button type="button" className={act} onClick={() => void list.refetch()}>
              {text.check}
            </button>
          </div>
        </div>
      )}
    </div>
  )
}

/** Where the steps go, in the order in which n8n runs them. */
function Places() {
  const { places } = text
  return (
    <div className="mt-4 space-y-2 text-small">
      <h4 className="font-semibold">{places.label}</h4>
      <dl className="space-y-2">
        {places.list.map(([name, where]) => (
          <div key={name} className="gap-x-3 sm:grid sm:grid-cols-[8.5rem_minmax(0,1fr)]">
            <dt className="font-semibold">{name}</dt>
            <dd>{where}</dd>
          </div>
        ))}
      </dl>
      <p className="text-muted">{places.order}</p>
      <p className="text-muted">{places.answer}</p>
      <p className="text-muted">{places.calm}</p>
    </div>
  )
}
