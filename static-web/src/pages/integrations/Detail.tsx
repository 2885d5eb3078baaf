import { lazy, Suspense, useState } from 'react'
import { useWatch } from 'react-hook-form'
import { Link, useNavigate, useParams } from 'react-router'
import { named } from '../../components/form/problems'
import { useDraft } from '../../components/form/useDraft'
import { api, ApiError } from '../../api/client'
import type { Integration, Schedule } from '../../api/types'
import { Dialog } from '../../components/Dialog'
import { useConfirmation } from '../../components/confirmations'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { SavedAt } from '../../components/SavedAt'
import {
  dangerButton,
  Failed,
  Labelled,
  LoadFailed,
  outlineDanger,
  Page,
  Rows,
  Saved,
  Section,
  Select,
  sentenceOf,
} from '../../components/ui'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { joined } from '../../lib/sources'
import { words } from '../../messages-integrations'
import { settings } from '../../messages-settings'
import { Actions, Clocks, StateLabel, StateWords } from './parts'
import { useChanged, useIntegrations, useMayChange, useRuns } from './queries'
import { Reconnect } from './Reconnect'
import { RunList } from './RunList'
import { ReadOnly } from './Sources'
import { hourWords, isLive, isPushOnly, planOf } from './words'

const Workflows = lazy(() => import('./Workflows'))
const N8nPush = lazy(() => import('./N8nPush'))
const Messages = lazy(() => import('./Messages'))
const PushLog = lazy(() => import('./PushLog'))
const PushRhythm = lazy(() => import('./PushRhythm'))

const text = words.detail
const back = { to: '/integrations', name: text.back }

/** One source: how it is, its name and schedule, its workflows, its latest readings, and the end of it. */
export default function Detail() {
  const { id } = useParams()
  const { tenant } = useIdentity()
  const query = useIntegrations()
  const source = query.data?.integrations.find((one) => one.id === id)
  const manage = useMayChange('manage_integrations')
  const tokens = useMay('manage_tokens')
  const [reconnect, setReconnect] = useState(false)
  const [said, setSaid] = useState<string | null>(null)
  const runs = useRuns({ source: id }, 5)
  if (!query.data)
    return query.isError ? (
      <LoadFailed error={query.error} retry={query.refetch} />
    ) : (
      <div className="pt-16">
        <Rows />
      </div>
    )
  if (!source)
    return (
      <Page title={text.missing} lead={text.missingText} back={back}>
        {null}
      </Page>
    )
  const all = runs.data?.pages.flatMap((page) => page.runs) ?? []
  return (
    <Page
      title={source.displayName}
      back={back}
      lead={
        <>
          <StateLabel source={source} />
          <span className="num block text-small">
            {planOf(source, tenant.timeZone, new Date())}
          </span>
          {source.propertyId && (
            <span className="block text-small wrap-anywhere">
              {[
                words.google.property1(source.propertyName ?? '', source.propertyId),
                source.account ? words.google.account(source.account) : null,
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          )}
          {source.address && (
            <span className="block text-small wrap-anywhere">{source.address}</span>
          )}
        </>
      }
    >
      {!manage && <ReadOnly />}
      <StateWords source={source} />
      <div className="mt-4 max-w-[34rem]">
        <Clocks source={source} />
      </div>
      {said && (
        <p role="status" className="mt-4 rounded bg-sunken px-4 py-3 text-small">
          {said}
        </p>
      )}
      {reconnect ? (
        <Reconnect
          source={source}
          onDone={() => {
            setReconnect(false)
            setSaid(words.connect.doneAgain(source.displayName))
          }}
          onCancel={() => {
            setReconnect(false)
          }}
        />
      ) : (
        <Actions
          source={source}
          run={all.find(isLive)?.id ?? null}
          onReconnect={() => {
            setReconnect(true)
          }}
        />
      )}
      {manage && !isPushOnly(source) && <Plan key={source.id} source={source} />}
      {source.connector === 'n8n' && (
        <Suspense fallback={<Rows />}>
          <Workflows source={source} />
          {manage && <Messages source={source} />}
          {manage && isPushOnly(source) && <PushRhythm source={source} />}
          <N8nPush />
          {tokens && <PushLog />}
        </Suspense>
      )}
      {!isPushOnly(source) && (
        <Section
          title={text.runs}
          action={
            all.length > 0 && (
              <Link
                to={`/integrations/history?source=${source.id}`}
                className="tap inline-flex items-center text-small font-semibold text-accent-strong"
              >
                {text.allRuns}
              </Link>
            )
          }
        >
          {runs.data ? (
            all.length === 0 ? (
              <p className="text-small text-muted">{text.noRuns}</p>
            ) : (
              <RunList runs={all.slice(0, 5)} named={false} />
            )
          ) : runs.isError ? (
            <LoadFailed error={runs.error} retry={runs.refetch} />
          ) : (
            <Rows count={3} />
          )}
        </Section>
      )}
      {manage && (
        <Disconnect
          source={source}
          alike={query.data.integrations
            .filter((one) => one.connector === source.connector && one.id !== source.id)
            .map((one) => one.displayName)}
        />
      )}
      <SavedAt query={query} timeZone={tenant.timeZone} />
    </Page>
  )
}

interface Fields {
  name: string
  schedule: Schedule
  hour: string
}

/** What a source is called and how often it is read. */
function Plan({ source }: { source: Integration }) {
  const { tenant } = useIdentity()
  const changed = useChanged()
  const {
    register,
    handleSubmit,
    reset,
    setError,
    control,
    formState: { errors, isSubmitting, isDirty },
  } = useDraft<Fields>(`source:${source.id}`, {
    // What somebody else changes comes in; what was typed here stays.
    values: {
      name: source.displayName,
      schedule: source.schedule as Schedule,
      hour: String(source.syncHour ?? 4),
    },
    resetOptions: { keepDirtyValues: true },
  })
  const [saved, setSaved] = useState(false)
  const daily = useWatch({ control, name: 'schedule' }) === 'daily'
  const submit = handleSubmit(async ({ name, schedule, hour }) => {
    setSaved(false)
    try {
      await api.patch(`integrations/${source.id}`, {
        displayName: name.trim(),
        schedule,
        syncHour: Number(hour),
      })
      reset({ name: name.trim(), schedule, hour })
      await changed()
      setSaved(true)
    } catch (error) {
      const said = error instanceof ApiError ? error.fields : {}
      const wrong = said.displayName?.[0]
      if (wrong)
        setError('name', {
          message: named(wrong, 'displayName', words.connect.fields.displayName ?? ''),
        })
      else setError('root', { message: sentenceOf(error) })
    }
  })
  return (
    <Section title={text.schedule}>
      <form noValidate aria-label={text.schedule} onSubmit={(event) => void submit(event)}>
        <div className="grid max-w-[44rem] gap-4 sm:grid-cols-[minmax(0,1fr)_12rem_8rem]">
          <Labelled label={text.name} error={errors.name?.message}>
            {(props) => (
              <input
                {...props}
                autoComplete="off"
                maxLength={60}
                {...register('name', {
                  validate: (name) => name.trim() !== '' || text.nameMissing,
                })}
              />
            )}
          </Labelled>
          <Labelled label={text.every}>
            {(props) => (
              <Select {...props} {...register('schedule')}>
                {(['daily', 'hourly', 'quarter_hourly'] as const).map((every) => (
                  <option key={every} value={every}>
                    {text.everyChoice[every]}
                  </option>
                ))}
              </Select>
            )}
          </Labelled>
          {daily && (
            <Labelled label={text.hour}>
              {(props) => (
                <Select {...props} {...register('hour')}>
                  {Array.from({ length: 24 }, (_, hour) => (
                    <option key={hour} value={hour}>
                      {hourWords(hour)}
                    </option>
                  ))}
                </Select>
              )}
            </Labelled>
          )}
        </div>
        <p className="mt-1 text-small text-muted">
          {text.hourHint(tenant.timeZone.replaceAll('_', ' '))}
        </p>
        <Failed error={errors.root?.message} />
        <div className="mt-4 flex flex-wrap items-center gap-4">
          <button type="submit" disabled={!isDirty || isSubmitting} className={primaryButton}>
            {isSubmitting ? text.saving : text.save}
          </button>
          <Saved>{saved && !isDirty ? text.saved : ''}</Saved>
        </div>
      </form>
    </Section>
  )
}

/** The end of a source, with or without what it measured. */
function Disconnect({ source, alike }: { source: Integration; alike: readonly string[] }) {
  const confirmed = useConfirmation()
  const changed = useChanged()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const [numbers, setNumbers] = useState<'keep' | 'delete'>('keep')
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const close = () => {
    setOpen(false)
  }
  const end = async () => {
    setBusy(true)
    setFailed(null)
    try {
      await confirmed(() => api.delete(`integrations/${source.id}?numbers=${numbers}`))
      close()
      await navigate('/integrations')
      await changed()
    } catch (error) {
      setFailed(error)
      setBusy(false)
    }
  }
  return (
    <Section title={text.disconnect} lead={text.disconnectLead}>
      <button
        type="button"
        className={outlineDanger}
        onClick={() => {
          setFailed(null)
          setNumbers('keep')
          setOpen(true)
        }}
      >
        {text.disconnect}
      </button>
      <Dialog title={text.disconnectTitle(source.displayName)} open={open} onClose={close}>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (!busy) void end()
          }}
        >
          <fieldset>
            <legend className="mb-1 text-small text-muted">{text.which}</legend>
            {(['keep', 'delete'] as const).map((choice) => (
              <label
                key={choice}
                className="grid cursor-pointer grid-cols-[auto_minmax(0,1fr)] gap-x-3 py-2.5"
              >
                <input
                  type="radio"
                  name="numbers"
                  value={choice}
                  checked={numbers === choice}
                  className="mt-0.5 size-5 accent-accent"
                  onChange={() => {
                    setNumbers(choice)
                  }}
                />
                <span className="font-semibold">{text[choice]}</span>
                <span className="col-start-2 text-small text-muted">
                  {choice === 'keep' ? text.keepLong : text.deleteLong}
                </span>
              </label>
            ))}
          </fieldset>
          {alike.length > 0 && <p className="text-small text-muted">{text.alike(joined(alike))}</p>}
          <Failed error={failed} />
          <div className="mt-5 flex flex-wrap justify-end gap-3">
            <button type="button" className={quietButton} onClick={close}>
              {settings.common.cancel}
            </button>
            <button type="submit" disabled={busy} className={dangerButton}>
              {busy
                ? text.disconnecting
                : numbers === 'delete'
                  ? text.disconnectAndDelete
                  : text.disconnect}
            </button>
          </div>
        </form>
      </Dialog>
    </Section>
  )
}
