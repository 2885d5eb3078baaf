import { Check } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { Link, Navigate, useSearchParams } from 'react-router'
import { useDraft } from '../../components/form/useDraft'
import { api, ApiError } from '../../api/client'
import type { Connectable, Integration, Settings } from '../../api/types'
import { Confirmations, useConfirmation } from '../../components/confirmations'
import { CurrencySelect, TimeZoneSelect } from '../../components/form/Region'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import {
  Failed,
  Labelled,
  LoadFailed,
  NotForYou,
  Page,
  Rows,
  sentenceOf,
} from '../../components/ui'
import { placeOf, timeZoneHere } from '../../lib/region'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { welcome as text } from '../../messages-welcome'
import { ConnectN8n } from '../integrations/ConnectN8n'
import { PropertyPicker, ServiceAccount, useGoogleSignIn } from '../integrations/Google'
import { useIntegrations, useMayChange, useRuns } from '../integrations/queries'
import { isPushOnly } from '../integrations/words'
import { renewIdentity, useReload, useSettings } from '../settings/queries'
import { parseAmount } from '../settings/words'
import { useDemo, useOpenDemo } from './demo'
import { FirstReading } from './FirstReading'

type Step = 'google' | 'n8n' | 'worth' | 'demo'

const way = 'tap inline-flex items-center text-small font-semibold text-accent hover:underline'

/** What a person skipped of this business, until the page is loaded anew. */
const skipped = new Map<string, ReadonlySet<Step>>()

/** The first minutes of a business: connect one source and another, or look around before. When nothing is left to ask, the overview. */
export default function Welcome() {
  const manage = useMayChange('manage_integrations')
  return (
    <div className="mx-auto max-w-[72rem] px-4 pt-4 pb-24 sm:px-8 lg:pt-8">
      {manage ? (
        <Confirmations>
          <Steps />
        </Confirmations>
      ) : (
        <NotForYou
          title={text.title}
          who={text.closed}
          back={null}
          action={
            <Link to="/" className={quietButton}>
              {text.toOverview}
            </Link>
          }
        />
      )}
    </div>
  )
}

function Steps() {
  const { tenant } = useIdentity()
  const query = useIntegrations()
  const settings = useSettings()
  const maySet = useMay('manage_settings')
  const demo = useDemo(!tenant.isDemo)
  const runs = useRuns({}, 50)
  const [params] = useSearchParams()
  const [left, setLeft] = useState(skipped.get(tenant.id) ?? new Set<Step>())
  const put = (next: ReadonlySet<Step>) => {
    skipped.set(tenant.id, next)
    setLeft(next)
  }
  const failed = query.error ?? settings.error
  if (!query.data || !settings.data || demo.isLoading)
    return failed ? (
      <LoadFailed error={failed} retry={() => Promise.all([query.refetch(), settings.refetch()])} />
    ) : (
      <Page title={text.heading(tenant.name)} back={null} lead={text.lead}>
        <div className="mt-8">
          <Rows count={3} />
        </div>
      </Page>
    )

  const connected = query.data.integrations.filter((source) => !isPushOnly(source))
  const source = (connector: string) => connected.find((one) => one.connector === connector)
  const can = (connector: string) =>
    query.data.connectable.find((one) => one.connector === connector)
  const [ga, n8n] = [source('google-analytics'), source('n8n')]
  const offer = demo.data?.tenantId ? demo.data.name : null
  const steps: { step: Step; title: string; done: boolean; source?: Integration | undefined }[] = [
    { step: 'google', title: text.google.title, done: ga !== undefined, source: ga },
    { step: 'n8n', title: text.n8n.title, done: n8n !== undefined, source: n8n },
  ]
  if (n8n && maySet)
    steps.push({
      step: 'worth',
      title: text.worth.title,
      done: settings.data.hourlyLabourCost !== null,
    })
  else if (connected.length === 0 && offer !== null)
    steps.push({ step: 'demo', title: text.demo.title, done: false })
  const at = steps.findIndex(({ step, done }) => !done && !left.has(step))
  // All is asked: the overview says how far the first reading is, and opens by itself.
  if (at === -1 || tenant.isDemo) return <Navigate to="/" replace />

  const newest = (id: string) =>
    runs.data?.pages.flatMap((page) => page.runs).find((run) => run.integrationId === id)
  return (
    <Page title={text.heading(tenant.name)} back={null} lead={text.lead}>
      <Region settings={settings.data} open={maySet} />
      <ol aria-label={text.steps} className="mt-6 max-w-[44rem]">
        {steps.map(({ step, title, done, source: made }, i) => {
          const here = i === at
          return (
            <li
              key={step}
              aria-current={here ? 'step' : undefined}
              className="relative border-t border-line py-5 pl-12"
            >
              <span
                aria-hidden="true"
                className={`num absolute top-4.5 left-0 grid size-8 place-items-center rounded-full border text-small font-semibold ${
                  here
                    ? 'border-accent bg-accent text-on-accent'
                    : done
                      ? 'border-good text-good'
                      : 'border-line-strong text-muted'
                }`}
              >
                {done ? <Check size={16} /> : i + 1}
              </span>
              <div className="flex flex-wrap items-center justify-between gap-x-4">
                <h2 className={`text-lead ${here || done ? 'font-semibold' : 'text-muted'}`}>
                  {title}
                  {here && <span className="sr-only">. {text.progress(i + 1, steps.length)}</span>}
                </h2>
                {done ? (
                  <span className="text-small text-muted">{text.done}</span>
                ) : (
                  left.has(step) && (
                    <button
                      type="button"
                      className="tap -my-2 inline-flex items-center text-small text-accent hover:underline"
                      onClick={() => {
                        put(new Set([...left].filter((one) => one !== step)))
                      }}
                    >
                      <span className="text-muted">{text.skipped}.&nbsp;</span>
                      {text.resume}
                      <span className="sr-only">: {title}</span>
                    </button>
                  )
                )}
              </div>
              {made && <FirstReading source={made} newest={newest(made.id)} />}
              {here && (
                <Ask
                  step={step}
                  google={can('google-analytics')}
                  grant={params.get('google')}
                  problem={params.get('problem')}
                  demo={offer ?? ''}
                  settings={settings.data}
                  onSkip={() => {
                    put(new Set([...left, step]))
                  }}
                />
              )}
            </li>
          )
        })}
      </ol>
      <p className="max-w-[44rem] border-t border-line pt-4 text-small text-muted">
        {text.later}{' '}
        <Link to="/" className="tap -my-3 inline-flex items-center text-accent hover:underline">
          {text.toOverview}
        </Link>
      </p>
    </Page>
  )
}

interface AskProps {
  step: Step
  google: Connectable | undefined
  /** What the sign-in at Google gave. */
  grant: string | null
  /** What went wrong there. */
  problem: string | null
  /** Name of the demonstration. */
  demo: string
  settings: Settings
  onSkip: () => void
}

function Ask({ step, ...props }: AskProps) {
  switch (step) {
    case 'google':
      return <Google {...props} />
    case 'n8n':
      return <N8n {...props} />
    case 'worth':
      return <Worth {...props} />
    case 'demo':
      return <Demo {...props} />
  }
}

type PartProps = Omit<AskProps, 'step'>

function Part({ about, children }: { about: string; children: ReactNode }) {
  return (
    <>
      <p className="mt-1 max-w-prose text-muted">{about}</p>
      <div className="mt-4">{children}</div>
    </>
  )
}

/** What a step offers, side by side, the way past it last. */
function Ways({ onSkip, children }: { onSkip: () => void; children?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
      {children}
      <button type="button" className={way} onClick={onSkip}>
        {text.skip}
      </button>
    </div>
  )
}

function Google({ google, grant, problem, onSkip }: PartProps) {
  const signIn = useGoogleSignIn()
  const [, setParams] = useSearchParams()
  const [key, setKey] = useState(false)
  const settle = (params: Record<string, string>) => {
    setKey(false)
    setParams(params, { replace: true })
  }
  const back = () => {
    settle({})
  }
  if (grant) return <PropertyPicker grant={grant} onDone={back} onCancel={back} />
  if (key)
    return (
      <ServiceAccount
        again={false}
        onCancel={back}
        onGrant={(fresh) => {
          settle({ google: fresh })
        }}
      />
    )
  return (
    <Part about={text.google.about}>
      {problem && (
        <p role="alert" className="mb-4 max-w-prose text-small text-trouble">
          {words.google.problem[problem] ?? words.google.problemOther}
        </p>
      )}
      <Ways onSkip={onSkip}>
        {google?.signIn && (
          <button
            type="button"
            className={primaryButton}
            disabled={signIn.going}
            onClick={() => void signIn.go(undefined, true)}
          >
            {signIn.going ? words.google.going : words.offer.google.connect}
          </button>
        )}
        {google?.serviceAccount && (
          <button
            type="button"
            className={google.signIn ? way : primaryButton}
            onClick={() => {
              setKey(true)
            }}
          >
            {words.google.withKey}
          </button>
        )}
      </Ways>
      <Failed error={signIn.failed} />
    </Part>
  )
}

function N8n({ onSkip }: PartProps) {
  const [open, setOpen] = useState(false)
  const close = () => {
    setOpen(false)
  }
  if (open) return <ConnectN8n onDone={close} onCancel={close} />
  return (
    <Part about={text.n8n.about}>
      <Ways onSkip={onSkip}>
        <button
          type="button"
          className={primaryButton}
          onClick={() => {
            setOpen(true)
          }}
        >
          {words.offer.n8n.connect}
        </button>
      </Ways>
    </Part>
  )
}

/** The one amount without which saved hours are worth nothing that could be shown. */
function Worth({ settings, onSkip }: PartProps) {
  const confirmed = useConfirmation()
  const reload = useReload()
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useDraft('welcome:worth', { defaultValues: { amount: '' } })
  const submit = handleSubmit(async ({ amount }) => {
    try {
      const hourlyLabourCost = parseAmount(amount) ?? null
      await confirmed(() => api.put('tenant', { ...settings, hourlyLabourCost }))
      await reload('settings', 'summary', 'automation')
    } catch (error) {
      const said = error instanceof ApiError ? error.fields.hourlyLabourCost?.[0] : undefined
      setError('amount', { message: said ?? sentenceOf(error) })
    }
  })
  return (
    <Part about={text.worth.about}>
      <form noValidate aria-label={text.worth.title} onSubmit={(event) => void submit(event)}>
        <div className="mb-4 max-w-60">
          <Labelled label={text.worth.label(settings.currency)} error={errors.amount?.message}>
            {(props) => (
              <input
                {...props}
                inputMode="decimal"
                autoComplete="off"
                className={`num ${props.className}`}
                {...register('amount', {
                  validate: (typed) =>
                    typed.trim() === ''
                      ? text.worth.missing
                      : parseAmount(typed) !== undefined || text.worth.wrong,
                })}
              />
            )}
          </Labelled>
        </div>
        <Ways onSkip={onSkip}>
          <button type="submit" disabled={isSubmitting} className={primaryButton}>
            {isSubmitting ? text.saving : text.worth.submit}
          </button>
        </Ways>
      </form>
    </Part>
  )
}

function Demo({ demo, onSkip }: PartProps) {
  const { open, busy, failed } = useOpenDemo()
  return (
    <Part about={text.demo.about(demo)}>
      <Ways onSkip={onSkip}>
        <button type="button" disabled={busy} className={primaryButton} onClick={() => void open()}>
          {busy ? text.demo.opening : text.demo.open}
        </button>
      </Ways>
      <Failed error={failed} />
    </Part>
  )
}

/** When a day ends and in which money costs are meant: taken from the browser at registration, and asked where it may be wrong. */
function Region({ settings, open }: { settings: Settings; open: boolean }) {
  const confirmed = useConfirmation()
  const reload = useReload()
  const [asked, setAsked] = useState(false)
  const {
    register,
    handleSubmit,
    setError,
    reset,
    formState: { errors, isSubmitting },
  } = useDraft('welcome:region', {
    defaultValues: { timeZone: settings.timeZone, currency: settings.currency },
  })
  const here = timeZoneHere()
  const submit = handleSubmit(async (region) => {
    try {
      await confirmed(() => api.put('tenant', { ...settings, ...region }))
      await Promise.all([reload('settings', 'summary'), renewIdentity()])
      setAsked(false)
    } catch (error) {
      const said = error instanceof ApiError ? error.fields : {}
      for (const field of ['timeZone', 'currency'] as const)
        if (said[field]?.[0]) setError(field, { message: said[field][0] })
      if (!said.timeZone && !said.currency) setError('root', { message: sentenceOf(error) })
    }
  })
  if (!asked)
    return (
      <p className="mt-3 max-w-prose text-small text-muted">
        {text.region(placeOf(settings.timeZone), settings.currency)}
        {here !== settings.timeZone && ` ${text.elsewhere(placeOf(here))}`}{' '}
        {open && (
          <button
            type="button"
            className="tap -my-3 inline-flex items-center text-accent hover:underline"
            onClick={() => {
              reset({ timeZone: settings.timeZone, currency: settings.currency })
              setAsked(true)
            }}
          >
            {text.change}
          </button>
        )}
      </p>
    )
  return (
    <form
      noValidate
      aria-label={text.change}
      onSubmit={(event) => void submit(event)}
      className="mt-4 max-w-[26rem] space-y-4 rounded border border-line bg-surface p-4 sm:p-6"
    >
      <TimeZoneSelect
        id="timeZone"
        focus
        chosen={settings.timeZone}
        error={errors.timeZone?.message}
        field={register('timeZone')}
      />
      <CurrencySelect
        id="currency"
        chosen={settings.currency}
        error={errors.currency?.message}
        field={register('currency')}
      />
      <Failed error={errors.root?.message} />
      <div className="flex flex-wrap gap-3">
        <button type="submit" disabled={isSubmitting} className={primaryButton}>
          {isSubmitting ? text.saving : text.save}
        </button>
        <button
          type="button"
          className={quietButton}
          onClick={() => {
            setAsked(false)
          }}
        >
          {text.cancel}
        </button>
      </div>
    </form>
  )
}
