import { lazy, Suspense, useEffect, useState } from 'react'
import { useForm } from 'react-hook-form'
import { useLocation } from 'react-router'
import { api, ApiError } from '../../api/client'
import type { RecoveryCodes, SecondFactorSetup } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { useUnsaved } from '../../components/form/useKept'
import { quietButton } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { useIdentity } from '../../lib/session'
import { settings } from '../../messages-settings'
import { useConfirmation } from '../../components/confirmations'
import { renewIdentity, useReload, useSecondFactor } from './queries'
import {
  CopyButton,
  Failed,
  Labelled,
  LoadFailed,
  outlineDanger,
  saveFile,
  Section,
  sentenceOf,
  State,
  useFocus,
  useQuestion,
} from '../../components/ui'
import { date } from './words'

const QrCode = lazy(() => import('./QrCode'))
const ConfirmIdentity = lazy(() => import('../../components/ConfirmIdentity'))
const text = settings.profile
const base = 'auth/second-factor'

/** Set up, renew and turn off the codes that are asked for besides the password. */
export function SecondFactorPart() {
  const confirmed = useConfirmation()
  const { tenant, user } = useIdentity()
  const { hash } = useLocation()
  const query = useSecondFactor()
  const reload = useReload()
  const { ask, dialog } = useQuestion()
  const [setup, setSetup] = useState<SecondFactorSetup | null>(null)
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const [proving, setProving] = useState(false)
  const known = query.data !== undefined

  // Those who are led here from elsewhere arrive here, once the page has its height.
  useEffect(() => {
    if (hash !== '#second-factor' || !known) return
    const heading = document.getElementById('second-factor')
    heading?.scrollIntoView({ block: 'start' })
    heading?.focus({ preventScroll: true })
  }, [hash, known])

  const start = async () => {
    setBusy(true)
    setFailed(null)
    try {
      setSetup(await confirmed(() => api.post<SecondFactorSetup>(`${base}/setup`)))
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  const show = (fresh: readonly string[]) => {
    setSetup(null)
    setCodes(fresh)
    void reload('second-factor')
  }

  const state = query.data
  return (
    <Section title={text.second} lead={text.secondLead} id="second-factor">
      {codes ? (
        <Codes
          codes={codes}
          onDone={() => {
            setCodes(null)
            // Only now: it may open what was closed, and take this page away.
            void renewIdentity()
          }}
        />
      ) : setup ? (
        <Setup
          setup={setup}
          onCodes={show}
          onCancel={() => {
            setSetup(null)
          }}
        />
      ) : state ? (
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
          <div>
            <State tone={state.enabled ? 'good' : 'plain'}>
              {state.enabled
                ? text.on(state.enabledAt ? date(state.enabledAt, tenant.timeZone) : null)
                : text.off}
            </State>
            {state.enabled && (
              <p
                className={`text-small ${state.recoveryCodesLeft < 3 ? 'font-semibold text-attention' : 'text-muted'}`}
              >
                {text.codesLeft(state.recoveryCodesLeft)}
              </p>
            )}
          </div>
          {state.enabled ? (
            <div className="flex flex-wrap gap-3">
              {!user.secondFactorProved && (
                <button
                  type="button"
                  className={tenant.secondFactorMissing ? primaryButton : quietButton}
                  onClick={() => {
                    setProving(true)
                  }}
                >
                  {text.proveCode}
                </button>
              )}
              <button
                type="button"
                className={quietButton}
                onClick={() => {
                  ask({
                    title: text.newCodesTitle,
                    text: text.newCodesText,
                    action: text.newCodes,
                    run: async () => {
                      const answer = await api.post<RecoveryCodes>(`${base}/recovery-codes`)
                      show(answer.recoveryCodes)
                    },
                  })
                }}
              >
                {text.newCodes}
              </button>
              <button
                type="button"
                className={outlineDanger}
                onClick={() => {
                  ask({
                    title: text.turnOffTitle,
                    text: text.turnOffText,
                    action: text.turnOff,
                    danger: true,
                    run: async () => {
                      await api.delete(base)
                      await reload('second-factor')
                      void renewIdentity()
                    },
                  })
                }}
              >
                {text.turnOff}
              </button>
            </div>
          ) : (
            <button
              type="button"
              disabled={busy}
              className={tenant.secondFactorMissing ? primaryButton : quietButton}
              onClick={() => void start()}
            >
              {busy ? text.settingUp : text.setUp}
            </button>
          )}
        </div>
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <div aria-busy="true" className="flex justify-between">
          <Skeleton className="h-6 w-24" />
          <Skeleton className="h-11 w-28" />
        </div>
      )}
      <Failed error={failed} />
      {proving && (
        <Suspense fallback={null}>
          <ConfirmIdentity
            code
            onEnd={(yes) => {
              setProving(false)
              if (yes) void renewIdentity()
            }}
          />
        </Suspense>
      )}
      {dialog}
    </Section>
  )
}

function Setup({
  setup,
  onCodes,
  onCancel,
}: {
  setup: SecondFactorSetup
  onCodes: (codes: readonly string[]) => void
  onCancel: () => void
}) {
  const confirmed = useConfirmation()
  const heading = useFocus<HTMLHeadingElement>()
  const {
    register,
    handleSubmit,
    setError,
    reset,
    formState: { errors, isDirty, isSubmitting },
  } = useForm({ defaultValues: { code: '' } })
  useUnsaved(isDirty && !isSubmitting, reset)
  const submit = handleSubmit(async ({ code }) => {
    try {
      const answer = await confirmed(() =>
        api.post<RecoveryCodes>(`${base}/enable`, { code: code.replaceAll(/\s/g, '') }),
      )
      onCodes(answer.recoveryCodes)
    } catch (error) {
      setError('code', {
        message: (error instanceof ApiError && error.fields.code?.[0]) || sentenceOf(error),
      })
    }
  })
  return (
    <div className="grid gap-6 sm:grid-cols-[12rem_minmax(0,1fr)] sm:gap-8">
      <Suspense fallback={<Skeleton className="size-48" />}>
        <QrCode value={setup.uri} />
      </Suspense>
      <div className="max-w-[28rem] space-y-5">
        <div>
          <h3 ref={heading} tabIndex={-1} className="font-semibold outline-none">
            {text.scan}
          </h3>
          <p className="text-small text-muted">{text.scanLong}</p>
        </div>
        <div>
          <p className="mb-1 text-small text-muted">{text.byHand}</p>
          <div className="flex items-center gap-2">
            <code className="min-w-0 flex-1 rounded bg-sunken px-3 py-2.5 font-mono text-small break-words">
              {setup.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}
            </code>
            <CopyButton text={setup.secret} label={text.copyKey} />
          </div>
        </div>
        <form noValidate onSubmit={(event) => void submit(event)}>
          <Labelled label={text.code} error={errors.code?.message}>
            {(props) => (
              <input
                {...props}
                inputMode="numeric"
                autoComplete="one-time-code"
                maxLength={9}
                className={`num ${props.className} max-w-40 tracking-[0.2em]`}
                {...register('code', {
                  validate: (code) =>
                    /^\d{6}$/.test(code.replaceAll(/\s/g, '')) || text.codeMissing,
                })}
              />
            )}
          </Labelled>
          <div className="mt-4 flex gap-3">
            <button type="submit" disabled={isSubmitting} className={primaryButton}>
              {isSubmitting ? text.turningOn : text.turnOn}
            </button>
            <button type="button" className={quietButton} onClick={onCancel}>
              {settings.common.cancel}
            </button>
          </div>
        </form>
      </div>
    </div>
  )
}

function Codes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const { tenant, user } = useIdentity()
  const heading = useFocus<HTMLHeadingElement>()
  // They are shown this once.
  useUnsaved(true)
  return (
    <div className="max-w-[32rem] rounded border border-line bg-surface p-4 sm:p-6">
      <h3 ref={heading} tabIndex={-1} className="font-semibold outline-none">
        {text.codes}
      </h3>
      <p className="text-small text-muted">{text.codesLong}</p>
      <ul className="mt-4 grid grid-cols-2 gap-x-6 gap-y-1 font-mono" aria-label={text.codes}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="mt-5 flex flex-wrap gap-3">
        <CopyButton text={codes.join('\n')} label={text.copyCodes} />
        <button
          type="button"
          className={quietButton}
          onClick={() => {
            const head = text.codesFile(user.email, date(new Date().toISOString(), tenant.timeZone))
            saveFile(
              new Blob([[head, '', ...codes, ''].join('\n')], { type: 'text/plain' }),
              'kpi-dashboard-recovery-codes.txt',
            )
          }}
        >
          {text.downloadCodes}
        </button>
        <button type="button" className={primaryButton} onClick={onDone}>
          {text.codesKept}
        </button>
      </div>
    </div>
  )
}
