import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useDraft } from '../../components/form/useDraft'
import { useKept } from '../../components/form/useKept'
import { api, ApiError, base } from '../../api/client'
import type { FreshToken, Token } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { useIdentity } from '../../lib/session'
import { settings } from '../../messages-settings'
import { useConfirmation } from '../../components/confirmations'
import { useReload, useTokens } from './queries'
import {
  CopyButton,
  Failed,
  Labelled,
  LoadFailed,
  Page,
  Rows,
  Secret,
  Section,
  Select,
  sentenceOf,
  small,
  State,
  useFocus,
  useQuestion,
} from '../../components/ui'
import { addressesIn, ago, date, scopeWords } from './words'

const text = settings.tokens
const scopes = ['read', 'refresh', 'push', 'n8n'] as const
const daysFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

export default function Tokens() {
  const { tenant } = useIdentity()
  const query = useTokens()
  const { ask, dialog } = useQuestion()
  const reload = useReload()
  const [making, setMaking] = useState(false)
  const [fresh, setFresh] = useState<{ name: string; made: FreshToken } | null>(null)
  const open = making || fresh !== null
  const revoke = (token: Token) => {
    ask({
      title: text.revokeTitle(token.name),
      text: text.revokeText,
      action: text.revoke,
      danger: true,
      run: async () => {
        await api.delete(`tokens/${token.id}`)
        await reload('tokens')
      },
    })
  }
  return (
    <Page
      title={text.title}
      lead={text.lead}
      action={
        !open && (
          <button
            type="button"
            disabled={tenant.deleteAfter !== null}
            className={`${primaryButton} max-sm:w-full`}
            onClick={() => {
              setMaking(true)
            }}
          >
            <Plus aria-hidden="true" size={18} />
            {text.make}
          </button>
        )
      }
    >
      {making && (
        <Make
          onCancel={() => {
            setMaking(false)
          }}
          onMade={(name, made) => {
            setMaking(false)
            setFresh({ name, made })
            void reload('tokens')
          }}
        />
      )}
      {fresh && (
        <Fresh
          {...fresh}
          onKept={() => {
            setFresh(null)
          }}
        />
      )}
      <Section title={text.list}>
        {query.data ? (
          query.data.tokens.length === 0 ? (
            <p className="text-small text-muted">{text.empty}</p>
          ) : (
            <List tokens={query.data.tokens} onRevoke={revoke} />
          )
        ) : query.isError ? (
          <LoadFailed error={query.error} retry={query.refetch} />
        ) : (
          <Rows />
        )}
      </Section>
      {dialog}
    </Page>
  )
}

function List({
  tokens,
  onRevoke,
}: {
  tokens: readonly Token[]
  onRevoke: (token: Token) => void
}) {
  const { tenant } = useIdentity()
  const now = new Date()
  const [changing, setChanging] = useState<string | null>(null)
  return (
    <ul>
      {tokens.map((token) => {
        const day = token.expiresAt ? date(token.expiresAt, tenant.timeZone) : null
        const expired = token.state === 'expired'
        return (
          <li
            key={token.id}
            className="flex flex-wrap items-center gap-x-3 gap-y-2 border-t border-line py-3 first:border-t-0"
          >
            <div className="min-w-0 flex-1 basis-56">
              <p className="flex flex-wrap items-center gap-x-3">
                <span className="min-w-0 font-semibold wrap-anywhere">{token.name}</span>
                {expired && day && (
                  <span className="text-small">
                    <State tone="attention">{text.expired(day)}</State>
                  </span>
                )}
              </p>
              <p className="text-small">{scopeWords(token.scopes)}</p>
              <p className="num text-small text-muted">
                {[
                  text.made(date(token.createdAt, tenant.timeZone), token.createdBy),
                  token.lastUsedAt
                    ? text.used(ago(token.lastUsedAt, tenant.timeZone, now))
                    : text.unused,
                  expired ? null : day ? text.expires(day) : text.noExpiry,
                  token.allowedAddresses.length > 0 ? text.fromOnly(token.allowedAddresses) : null,
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </p>
            </div>
            <button
              type="button"
              disabled={tenant.deleteAfter !== null}
              aria-label={text.changeOne(token.name)}
              aria-expanded={changing === token.id}
              className={`${small} shrink-0 border border-line bg-surface hover:border-line-strong`}
              onClick={() => {
                setChanging(changing === token.id ? null : token.id)
              }}
            >
              {text.change}
            </button>
            <button
              type="button"
              disabled={tenant.deleteAfter !== null}
              aria-label={text.revokeOne(token.name)}
              className={`${small} shrink-0 border border-line bg-surface hover:border-line-strong`}
              onClick={() => {
                onRevoke(token)
              }}
            >
              {text.revoke}
            </button>
            {changing === token.id && (
              <Addresses
                token={token}
                onDone={() => {
                  setChanging(null)
                }}
              />
            )}
          </li>
        )
      })}
    </ul>
  )
}

/** From where a token may be used. */
function Addresses({ token, onDone }: { token: Token; onDone: () => void }) {
  const confirmed = useConfirmation()
  const reload = useReload()
  const [typed, setTyped, typedDone] = useKept(
    `addresses:${token.id}`,
    token.allowedAddresses.join('\n'),
  )
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const wrong = failed instanceof ApiError ? failed.fields.allowedAddresses : undefined
  const save = async () => {
    setBusy(true)
    setFailed(null)
    try {
      await confirmed(() =>
        api.patch(`tokens/${token.id}`, { allowedAddresses: addressesIn(typed) }),
      )
      typedDone()
      await reload('tokens')
      onDone()
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form
      noValidate
      aria-label={text.changeTitle(token.name)}
      className="w-full max-w-[40rem] space-y-3"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <Labelled label={text.changeTitle(token.name)} hint={text.fromHint} error={wrong?.[0]}>
        {(props) => (
          <textarea
            {...props}
            rows={3}
            spellCheck={false}
            autoComplete="off"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value)
            }}
          />
        )}
      </Labelled>
      <Failed error={wrong ? null : failed} />
      <div className="flex flex-wrap gap-3">
        <button type="submit" disabled={busy} className={primaryButton}>
          {text.changeSave}
        </button>
        <button type="button" className={quietButton} onClick={onDone}>
          {settings.common.cancel}
        </button>
      </div>
    </form>
  )
}

interface Fields {
  name: string
  scopes: string[]
  expiry: string
  from: string
}

function Make({
  onMade,
  onCancel,
}: {
  onMade: (name: string, made: FreshToken) => void
  onCancel: () => void
}) {
  const confirmed = useConfirmation()
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useDraft<Fields>('token', {
    defaultValues: { name: '', scopes: ['refresh'], expiry: '90', from: '' },
  })
  const submit = handleSubmit(async ({ name, scopes: chosen, expiry, from }) => {
    try {
      const expiresAt = expiry === 'never' ? null : daysFromNow(Number(expiry))
      const made = await confirmed(() =>
        api.post<FreshToken>('tokens', {
          name: name.trim(),
          scopes: chosen,
          expiresAt,
          allowedAddresses: addressesIn(from),
        }),
      )
      onMade(name.trim(), made)
    } catch (error) {
      const said = error instanceof ApiError ? error.fields : {}
      if (said.name?.[0]) setError('name', { message: said.name[0] })
      if (said.scopes?.[0]) setError('scopes', { message: said.scopes[0] })
      if (said.expiresAt?.[0]) setError('expiry', { message: said.expiresAt[0] })
      if (said.allowedAddresses?.[0]) setError('from', { message: said.allowedAddresses[0] })
      if (!said.name && !said.scopes && !said.expiresAt && !said.allowedAddresses)
        setError('root', { message: sentenceOf(error) })
    }
  })
  const heading = useFocus<HTMLHeadingElement>()
  return (
    <form
      noValidate
      aria-label={text.makeTitle}
      onSubmit={(event) => void submit(event)}
      className="mt-6 max-w-[40rem] space-y-5 rounded border border-line bg-surface p-4 sm:p-6"
    >
      <h2 ref={heading} tabIndex={-1} className="text-lead font-semibold outline-none">
        {text.makeTitle}
      </h2>
      <Labelled label={text.name} hint={text.nameHint} error={errors.name?.message}>
        {(props) => (
          <input
            {...props}
            autoComplete="off"
            maxLength={100}
            {...register('name', { validate: (name) => name.trim() !== '' || text.nameMissing })}
          />
        )}
      </Labelled>
      <fieldset aria-describedby={errors.scopes ? 'scopes-error' : undefined}>
        <legend className="text-small text-muted">{text.scopes}</legend>
        {scopes.map((scope) => (
          <label key={scope} className="tap flex items-center gap-3">
            <input
              type="checkbox"
              value={scope}
              className="size-5 shrink-0 accent-accent"
              {...register('scopes', {
                validate: (chosen) => chosen.length > 0 || text.scopesMissing,
              })}
            />
            {text.scopeLong[scope]}
          </label>
        ))}
        {errors.scopes && (
          <p id="scopes-error" className="text-small text-trouble">
            {errors.scopes.message}
          </p>
        )}
      </fieldset>
      <div className="max-w-48">
        <Labelled label={text.expiry} error={errors.expiry?.message}>
          {(props) => (
            <Select {...props} {...register('expiry')}>
              {(['30', '90', '365', 'never'] as const).map((preset) => (
                <option key={preset} value={preset}>
                  {text.presets[preset]}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      </div>
      <Labelled label={text.from} hint={text.fromHint} error={errors.from?.message}>
        {(props) => (
          <textarea
            {...props}
            rows={2}
            spellCheck={false}
            autoComplete="off"
            {...register('from')}
          />
        )}
      </Labelled>
      <Failed error={errors.root?.message} />
      <div className="flex flex-wrap gap-3">
        <button type="submit" disabled={isSubmitting} className={primaryButton}>
          {isSubmitting ? text.creating : text.create}
        </button>
        <button type="button" className={quietButton} onClick={onCancel}>
          {settings.common.cancel}
        </button>
      </div>
    </form>
  )
}

/** The secrets of a token that was just made. */
function Fresh({ name, made, onKept }: { name: string; made: FreshToken; onKept: () => void }) {
  const heading = useFocus<HTMLHeadingElement>()
  // As the page itself does it: a proxy on the way may overwrite Authorization.
  const example = `curl -X POST ${base || location.origin}/api/webhooks/refresh \\\n  -H 'X-Kpi-Token: ${made.token}'`
  return (
    <section
      aria-labelledby="fresh-token"
      className="mt-6 max-w-[44rem] space-y-5 rounded border border-line bg-surface p-4 sm:p-6"
    >
      <div>
        <h2
          id="fresh-token"
          ref={heading}
          tabIndex={-1}
          className="text-lead font-semibold outline-none wrap-anywhere"
        >
          {text.fresh(name)}
        </h2>
        <p className="text-small text-muted">{text.freshLong}</p>
      </div>
      <Secret label={text.token} value={made.token} copy={text.copyToken} />
      <Secret label={text.secret} value={made.signingSecret} copy={text.copySecret} />
      <div>
        <div className="mb-1 flex items-end justify-between gap-3">
          <p className="text-small text-muted">{text.example}</p>
          <CopyButton text={example} label={text.copyExample} />
        </div>
        <pre className="rounded bg-sunken px-3 py-2.5 font-mono text-small break-all whitespace-pre-wrap">
          {example}
        </pre>
      </div>
      <button type="button" className={primaryButton} onClick={onKept}>
        {text.kept}
      </button>
    </section>
  )
}
