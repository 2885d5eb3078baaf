import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { Link, Navigate, useSearchParams } from 'react-router'
import type { Connectable, Integration } from '../../api/types'
import { Notice } from '../../components/Notice'
import { SavedAt } from '../../components/SavedAt'
import { Failed, LoadFailed, Page, Rows, Section } from '../../components/ui'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { beganAtWelcome, beginWelcome } from '../../lib/welcome'
import { messages } from '../../messages'
import { words } from '../../messages-integrations'
import { ConnectN8n } from './ConnectN8n'
import { PropertyPicker, ServiceAccount, useGoogleSignIn } from './Google'
import { Reconnect } from './Reconnect'
import { act, Actions, Clocks, StateLabel, StateWords } from './parts'
import { useIntegrations, useMayChange, useRuns } from './queries'
import { isLive, isPushOnly, leadOf, planOf } from './words'

const N8nPush = lazy(() => import('./N8nPush'))

const text = words.sources

/** Every source: how it is, how fresh, and what can be done; below, what else can be connected. */
export default function Sources() {
  const { tenant } = useIdentity()
  const query = useIntegrations()
  const runs = useRuns({}, 50)
  const manage = useMayChange('manage_integrations')
  const [params, setParams] = useSearchParams()
  const [said, setSaid] = useState<string | null>(null)
  const [reconnect, setReconnect] = useState<Integration | null>(null)
  const data = query.data?.integrations
  const asked = manage ? params.get('connect') : null
  const connect = asked === 'n8n'
  const grant = manage ? params.get('google') : null
  const problem = params.get('problem')
  const reconnected = params.get('reconnected')
  const show = (what: string | null) => {
    setSaid(null)
    setReconnect(null)
    setParams(
      (was) => {
        // What Google sent the browser back with is used up.
        for (const name of ['connect', 'google', 'problem', 'reconnected']) was.delete(name)
        if (what) was.set('connect', what)
        return was
      },
      { replace: true },
    )
  }
  const done = (source: Integration) => {
    show(null)
    setSaid(words.connect.done(source.displayName))
  }
  const cancel = () => {
    show(null)
  }
  const live = (id: string) =>
    runs.data?.pages
      .flatMap((page) => page.runs)
      .find((run) => run.integrationId === id && isLive(run))?.id ?? null

  // Back from Google, in the middle of the first minutes.
  const [toWelcome] = useState(() => Boolean(grant ?? problem) && beganAtWelcome())
  useEffect(() => {
    beginWelcome(false)
  }, [])
  if (toWelcome) return <Navigate to={`/welcome?${params.toString()}`} replace />

  return (
    <Page title={words.title} back={null} lead={data && data.length > 0 ? leadOf(data) : undefined}>
      {!manage && <ReadOnly />}
      {said && (
        <p role="status" className="mt-4 rounded bg-sunken px-4 py-3 text-small">
          {said}
        </p>
      )}
      {reconnected && data && (
        <p role="status" className="mt-4 rounded bg-sunken px-4 py-3 text-small">
          {reconnectedWords(data.find(({ id }) => id === reconnected))}
        </p>
      )}
      {problem && (
        <p role="alert" className="mt-4 rounded bg-sunken px-4 py-3 text-small text-trouble">
          {words.google.problem[problem] ?? words.google.problemOther}
        </p>
      )}
      {connect && <ConnectN8n another={has(data, 'n8n')} onDone={done} onCancel={cancel} />}
      {/* Who cannot let us in sends instead; until something came there is no source whose page would say how. */}
      {connect && (
        <Suspense fallback={<Rows count={2} />}>
          <N8nPush />
        </Suspense>
      )}
      {asked === 'google-key' && (
        <ServiceAccount
          again={false}
          onCancel={cancel}
          onGrant={(fresh) => {
            setParams({ google: fresh }, { replace: true })
          }}
        />
      )}
      {grant && (
        <PropertyPicker
          grant={grant}
          another={has(data, 'google-analytics')}
          onDone={done}
          onCancel={cancel}
        />
      )}
      {data ? (
        data.length === 0 ? (
          !grant && (
            <Notice title={text.emptyTitle}>{manage ? text.empty : text.viewerEmpty}</Notice>
          )
        ) : (
          <ul aria-label={text.list} className="mt-5 border-t border-line">
            {data.map((source) => (
              <li key={source.id} className="border-b border-line py-5">
                <div className="lg:grid lg:grid-cols-[minmax(0,1fr)_27rem] lg:gap-10">
                  <div className="min-w-0">
                    <div className="flex flex-wrap items-baseline justify-between gap-x-6 lg:justify-start">
                      <h2 className="text-lead font-semibold wrap-anywhere">
                        <Link
                          to={`/integrations/${source.id}`}
                          className="tap inline-flex items-center hover:underline"
                        >
                          {source.displayName}
                        </Link>
                      </h2>
                      <StateLabel source={source} />
                    </div>
                    <StateWords source={source} />
                    <p className="num mt-1 text-small text-muted">
                      {planOf(source, tenant.timeZone, new Date())}
                    </p>
                  </div>
                  <div className="mt-3 lg:mt-1">
                    <Clocks source={source} />
                  </div>
                </div>
                {reconnect?.id === source.id ? (
                  <Reconnect
                    source={source}
                    onDone={(again) => {
                      setReconnect(null)
                      setSaid(words.connect.doneAgain(again.displayName))
                    }}
                    onCancel={() => {
                      setReconnect(null)
                    }}
                  />
                ) : (
                  <Actions
                    source={source}
                    run={live(source.id)}
                    onReconnect={() => {
                      setSaid(null)
                      setReconnect(source)
                    }}
                  >
                    <Link
                      to={`/integrations/${source.id}`}
                      aria-label={words.action.of(words.action.details, source.displayName)}
                      className={act}
                    >
                      {words.action.details}
                    </Link>
                  </Actions>
                )}
              </li>
            ))}
          </ul>
        )
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <div className="mt-5">
          <Rows count={2} />
        </div>
      )}
      {data && data.length > 0 && (
        <details className="mt-3">
          <summary className="w-fit py-3 text-small text-muted hover:text-ink">
            {text.clocks}
          </summary>
          <dl className="mb-4 max-w-prose space-y-2 text-small">
            {Object.values(words.clock)
              .filter((clock) => typeof clock === 'object')
              .map(({ name, why }) => (
                <div key={name}>
                  <dt className="font-semibold">{name}</dt>
                  <dd className="text-muted">{why}</dd>
                </div>
              ))}
          </dl>
        </details>
      )}
      {query.data && (
        <Offers
          sources={query.data.integrations}
          connectable={query.data.connectable}
          asked={grant ? 'google' : asked}
          onAsk={(what) => {
            show(what)
            scrollTo(0, 0)
          }}
        />
      )}
      <SavedAt query={query} timeZone={tenant.timeZone} />
    </Page>
  )
}

/** Who may change something, to someone who may not. */
export function ReadOnly() {
  const { tenant } = useIdentity()
  return (
    <p className="mt-4 rounded bg-sunken px-4 py-3 text-small">
      {tenant.deleteAfter === null
        ? words.readOnly(messages.tenant.role[tenant.role])
        : words.deleting}
    </p>
  )
}

const reconnectedWords = (source: Integration | undefined) =>
  source ? words.google.reconnected(source.displayName) : words.google.reconnectedPlain

/** Whether one of a kind is connected; what only pushes can be gone on with. */
const has = (sources: readonly Integration[] | undefined, connector: string) =>
  sources?.some((source) => source.connector === connector && !isPushOnly(source)) ?? false

/** What can be connected, each with what it would bring; of what is connected, another one. */
function Offers({
  sources,
  connectable,
  asked,
  onAsk,
}: {
  sources: readonly Integration[]
  connectable: readonly Connectable[]
  /** What is being connected above. */
  asked: string | null
  onAsk: (what: string) => void
}) {
  const manage = useMayChange('manage_integrations')
  const push = useMay('push')
  const define = useMay('manage_settings')
  const google = useGoogleSignIn()
  const free = (connector: string) =>
    manage ? connectable.find((one) => one.connector === connector) : undefined
  const offerOf = (connector: string, offer: typeof words.offer.google) =>
    has(sources, connector)
      ? { name: offer.anotherName, about: offer.anotherAbout, connect: offer.another }
      : offer
  const googleOffer = offerOf('google-analytics', words.offer.google)
  const n8nOffer = offerOf('n8n', words.offer.n8n)
  const [ga, n8n] = [free('google-analytics'), free('n8n')]
  if (!ga && !n8n && !push) return null
  return (
    <Section title={sources.length === 0 ? text.moreEmpty : text.more}>
      <ul>
        {ga && asked !== 'google' && (
          <Offer name={googleOffer.name} about={googleOffer.about}>
            {ga.signIn && (
              <button
                type="button"
                className={act}
                disabled={google.going}
                onClick={() => void google.go()}
              >
                {google.going ? words.google.going : googleOffer.connect}
              </button>
            )}
            {ga.serviceAccount && asked !== 'google-key' && (
              <button
                type="button"
                className={act}
                onClick={() => {
                  onAsk('google-key')
                }}
              >
                {words.google.withKey}
              </button>
            )}
            <Failed error={google.failed} />
          </Offer>
        )}
        {n8n && (
          <Offer name={n8nOffer.name} about={n8nOffer.about}>
            {asked !== 'n8n' && (
              <button
                type="button"
                className={act}
                onClick={() => {
                  onAsk('n8n')
                }}
              >
                {n8nOffer.connect}
              </button>
            )}
          </Offer>
        )}
        {push && (
          <Offer {...words.offer.push}>
            <Link to="/integrations/import" className={act}>
              {words.offer.push.import}
            </Link>
            {define && (
              <Link to="/integrations/kpis" className={act}>
                {words.offer.push.define}
              </Link>
            )}
          </Offer>
        )}
      </ul>
    </Section>
  )
}

function Offer({ name, about, children }: { name: string; about: string; children: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 border-t border-line py-4 first:border-t-0 first:pt-0">
      <div className="min-w-0">
        <h3 className="font-semibold">{name}</h3>
        <p className="text-small text-muted">{about}</p>
      </div>
      <div className="flex flex-wrap gap-2">{children}</div>
    </li>
  )
}
