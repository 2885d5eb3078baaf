import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api, ApiError, query } from '../../api/client'
import type { GoogleAuthorize, GoogleGrant, GoogleProperties, Integration } from '../../api/types'
import { useConfirmation } from '../../components/confirmations'
import { primaryButton } from '../../components/buttons'
import { named } from '../../components/form/problems'
import { useUnsaved } from '../../components/form/useKept'
import { quietButton } from '../../components/Notice'
import { Failed, inputClass, Labelled, LoadFailed, Rows, useFocus } from '../../components/ui'
import { useIdentity } from '../../lib/session'
import { beginWelcome } from '../../lib/welcome'
import { words } from '../../messages-integrations'
import { settings } from '../../messages-settings'
import { useChanged } from './queries'

const text = words.google
const frame = 'mt-5 max-w-[40rem] space-y-5 rounded border border-line bg-surface p-4 sm:p-6'

/** Leads to the sign-in at Google, from which the browser comes back to the list of sources, or to the welcome. */
export function useGoogleSignIn() {
  const confirmed = useConfirmation()
  const [going, setGoing] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const go = async (integrationId?: string, welcome = false) => {
    if (going) return
    setGoing(true)
    setFailed(null)
    try {
      const { url } = await confirmed(() =>
        api.get<GoogleAuthorize>(
          `integrations/google-analytics/authorize${query({ integrationId })}`,
        ),
      )
      beginWelcome(welcome)
      location.assign(url)
    } catch (error) {
      setFailed(error)
      setGoing(false)
    }
  }
  return { go, going, failed }
}

/** The properties that a sign-in may read, to choose one of. */
export function PropertyPicker({
  grant,
  another = false,
  onDone,
  onCancel,
}: {
  grant: string
  /** One is connected already: this one needs a name of its own. */
  another?: boolean
  onDone: (source: Integration) => void
  onCancel: () => void
}) {
  const { tenant } = useIdentity()
  const confirmed = useConfirmation()
  const changed = useChanged()
  const heading = useFocus<HTMLHeadingElement>()
  const list = useQuery({
    queryKey: ['google-properties', tenant.id, grant],
    queryFn: ({ signal }) =>
      api.get<GoogleProperties>(`integrations/google-analytics/properties${query({ grant })}`, {
        signal,
        tenantId: tenant.id,
      }),
    staleTime: Infinity,
    retry: false,
  })
  const [chosen, setChosen] = useState<string | null>(null)
  const [called, setCalled] = useState('')
  // What was chosen goes with the sign-in, which is forgotten within the hour: it is asked for, and not kept.
  useUnsaved(chosen !== null || called !== '', () => {
    setChosen(null)
    setCalled('')
  })
  const [find, setFind] = useState('')
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const nameWrong = failed instanceof ApiError ? failed.fields.displayName?.[0] : undefined
  const all = list.data?.properties ?? []
  const wanted = find.trim().toLowerCase()
  const found = all.filter(({ id, name, account }) =>
    `${name} ${account} ${id}`.toLowerCase().includes(wanted),
  )
  const picked = chosen ?? (all.length === 1 ? (all[0]?.id ?? null) : null)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    if (!picked) {
      setFailed(text.choosePlease)
      return
    }
    setBusy(true)
    setFailed(null)
    try {
      const made = await confirmed(() =>
        api.post<Integration>('integrations', {
          connector: 'google-analytics',
          grant,
          propertyId: picked,
          ...(another && called.trim() !== '' ? { displayName: called.trim() } : {}),
        }),
      )
      setChosen(null)
      setCalled('')
      await changed()
      onDone(made)
    } catch (error) {
      setFailed(error)
      setBusy(false)
    }
  }
  return (
    <form
      noValidate
      aria-label={text.title}
      onSubmit={(event) => void submit(event)}
      className={frame}
    >
      <div>
        <h2 ref={heading} tabIndex={-1} className="text-lead font-semibold outline-none">
          {text.title}
        </h2>
        {list.data && <p className="mt-0.5 text-small text-muted">{text.lead(list.data.email)}</p>}
      </div>
      {list.data ? (
        all.length === 0 ? (
          <p className="text-small">{text.none}</p>
        ) : (
          <>
            {all.length > 8 && (
              <Labelled label={text.find}>
                {(props) => (
                  <input
                    {...props}
                    type="search"
                    value={find}
                    onChange={(event) => {
                      setFind(event.target.value)
                    }}
                  />
                )}
              </Labelled>
            )}
            <fieldset>
              <legend className="sr-only">{text.property}</legend>
              <div className="max-h-80 overflow-y-auto">
                {found.map(({ id, name, account }) => (
                  <label
                    key={id}
                    className="grid cursor-pointer grid-cols-[auto_minmax(0,1fr)] gap-x-3 py-2.5"
                  >
                    <input
                      type="radio"
                      name="property"
                      value={id}
                      checked={picked === id}
                      className="mt-0.5 size-5 accent-accent"
                      onChange={() => {
                        setChosen(id)
                      }}
                    />
                    <span className="font-semibold wrap-anywhere">{name}</span>
                    <span className="num col-start-2 text-small text-muted">
                      {text.id(id, account)}
                    </span>
                  </label>
                ))}
                {found.length === 0 && <p className="text-small text-muted">{text.noneFound}</p>}
              </div>
            </fieldset>
            {another && (
              <Labelled
                label={words.connect.name}
                hint={words.connect.nameHint}
                error={
                  nameWrong &&
                  named(nameWrong, 'displayName', words.connect.fields.displayName ?? '')
                }
              >
                {(props) => (
                  <input
                    {...props}
                    autoComplete="off"
                    maxLength={60}
                    value={called}
                    onChange={(event) => {
                      setCalled(event.target.value)
                    }}
                  />
                )}
              </Labelled>
            )}
          </>
        )
      ) : list.isError ? (
        <LoadFailed error={list.error} retry={list.refetch} />
      ) : (
        <>
          <p className="text-small text-muted">{text.loading}</p>
          <Rows count={2} />
        </>
      )}
      {!nameWrong && <Failed error={failed} />}
      <div className="flex flex-wrap gap-3">
        {all.length > 0 && (
          <button type="submit" disabled={busy} className={primaryButton}>
            {busy ? words.connect.busy : text.submit}
          </button>
        )}
        <button type="button" className={quietButton} onClick={onCancel}>
          {settings.common.cancel}
        </button>
      </div>
    </form>
  )
}

/** The key of a service account: a file, or what is in it. */
export function ServiceAccount({
  again,
  onGrant,
  onCancel,
}: {
  /** For a source that is there. */
  again: boolean
  onGrant: (grant: string) => unknown
  onCancel: () => void
}) {
  const confirmed = useConfirmation()
  const heading = useFocus<HTMLHeadingElement>()
  const [key, setKey] = useState('')
  useUnsaved(key !== '', () => {
    setKey('')
  })
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const title = again ? text.keyAgain : text.keyTitle
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    if (key.trim() === '') {
      setFailed(text.keyMissing)
      return
    }
    setBusy(true)
    setFailed(null)
    try {
      const { grant } = await confirmed(() =>
        api.post<GoogleGrant>('integrations/google-analytics/service-account', { key: key.trim() }),
      )
      setKey('')
      await onGrant(grant)
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form noValidate aria-label={title} onSubmit={(event) => void submit(event)} className={frame}>
      <div>
        <h2 ref={heading} tabIndex={-1} className="text-lead font-semibold outline-none">
          {title}
        </h2>
        <p className="mt-0.5 text-small text-muted">{text.keyLead}</p>
      </div>
      <input
        type="file"
        accept=".json,application/json"
        aria-label={text.keyFile}
        className="block w-full text-small file:mr-3 file:h-11 file:rounded file:border file:border-line file:bg-surface file:px-3 file:font-semibold"
        onChange={(event) => {
          const file = event.target.files?.[0]
          if (file && file.size < 100_000) void file.text().then(setKey)
        }}
      />
      <Labelled label={text.key} hint={text.keyHint}>
        {(props) => (
          <textarea
            {...props}
            rows={5}
            autoComplete="off"
            spellCheck={false}
            className={`${inputClass} h-auto border-line-strong py-2 font-mono text-small`}
            value={key}
            onChange={(event) => {
              setKey(event.target.value)
            }}
          />
        )}
      </Labelled>
      <Failed error={failed} />
      <div className="flex flex-wrap gap-3">
        <button type="submit" disabled={busy} className={primaryButton}>
          {busy ? text.keyBusy : text.keySubmit}
        </button>
        <button type="button" className={quietButton} onClick={onCancel}>
          {settings.common.cancel}
        </button>
      </div>
    </form>
  )
}
