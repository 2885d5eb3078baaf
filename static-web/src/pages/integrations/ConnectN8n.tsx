import { useState } from 'react'
import { useDraft } from '../../components/form/useDraft'
import { api, ApiError } from '../../api/client'
import type { Integration } from '../../api/types'
import { named } from '../../components/form/problems'
import { useConfirmation } from '../../components/confirmations'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { Failed, Labelled, sentenceOf, useFocus } from '../../components/ui'
import { words } from '../../messages-integrations'
import { settings } from '../../messages-settings'
import { useChanged } from './queries'

const text = words.connect

interface Fields {
  address: string
  key: string
  name: string
}

/** Address and key of an n8n; for a source that is there, a new key alone. The API tries them before it keeps them. */
export function ConnectN8n({
  source,
  another = false,
  onDone,
  onCancel,
}: {
  source?: Integration
  /** One is connected already: this one needs a name of its own. */
  another?: boolean
  onDone: (source: Integration) => void
  onCancel: () => void
}) {
  const confirmed = useConfirmation()
  const changed = useChanged()
  const heading = useFocus<HTMLHeadingElement>()
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useDraft<Fields>(`n8n:${source?.id ?? 'new'}`, {
    secret: ['key'],
    defaultValues: { address: source?.address ?? '', key: '', name: '' },
  })
  // Asked for only once a key turned out to show fewer workflows than are known.
  const [fewer, setFewer] = useState<'never' | 'asked' | 'accepted'>('never')
  const submit = handleSubmit(async ({ address, key, name: called }) => {
    try {
      const acceptFewer = fewer === 'accepted' ? true : null
      const credentials = { apiKey: key.trim() }
      const made = await confirmed(() =>
        source
          ? api.patch<Integration>(`integrations/${source.id}`, { credentials, acceptFewer })
          : api.post<Integration>('integrations', {
              connector: 'n8n',
              settings: { baseUrl: address.trim() },
              credentials,
              acceptFewer,
              ...(another && called.trim() !== '' ? { displayName: called.trim() } : {}),
            }),
      )
      await changed()
      onDone(made)
    } catch (error) {
      const fields = error instanceof ApiError ? error.fields : {}
      setFewer(fields['acceptFewer'] ? 'asked' : 'never')
      let placed = false
      for (const [field, name] of [
        ['settings.baseUrl', 'address'],
        ['credentials.apiKey', 'key'],
        ['displayName', 'name'],
      ] as const) {
        const said = fields[field]?.[0]
        // A new key alone has no field for an address that does not answer.
        if (!said || (source && name === 'address')) continue
        setError(
          name,
          { message: named(said, field, text.fields[field] ?? field) },
          { shouldFocus: !placed },
        )
        placed = true
      }
      if (!placed) setError('root', { message: sentenceOf(error) })
    }
  })
  const title = source ? text.again : another ? text.another : text.title
  return (
    <form
      noValidate
      aria-label={title}
      onSubmit={(event) => void submit(event)}
      className="mt-5 max-w-[40rem] space-y-5 rounded border border-line bg-surface p-4 sm:p-6"
    >
      <div>
        <h2 ref={heading} tabIndex={-1} className="text-lead font-semibold outline-none">
          {title}
        </h2>
        <p className="mt-0.5 text-small text-muted">{text.lead}</p>
      </div>
      {source ? (
        <p className="text-small">
          <span className="block text-muted">{text.address}</span>
          <span className="wrap-anywhere">{source.address}</span>
        </p>
      ) : (
        <Labelled label={text.address} hint={text.addressHint} error={errors.address?.message}>
          {(props) => (
            <input
              {...props}
              type="url"
              inputMode="url"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              {...register('address', {
                validate: (address) => address.trim() !== '' || text.addressMissing,
              })}
            />
          )}
        </Labelled>
      )}
      <Labelled label={text.key} hint={text.keyHint} error={errors.key?.message}>
        {(props) => (
          <input
            {...props}
            type="password"
            autoComplete="off"
            {...register('key', { validate: (key) => key.trim() !== '' || text.keyMissing })}
          />
        )}
      </Labelled>
      {another && (
        <Labelled label={text.name} hint={text.nameHint} error={errors.name?.message}>
          {(props) => <input {...props} autoComplete="off" maxLength={60} {...register('name')} />}
        </Labelled>
      )}
      {fewer !== 'never' && (
        <label className="flex items-start gap-2 text-small">
          <input
            type="checkbox"
            className="mt-1"
            checked={fewer === 'accepted'}
            onChange={(event) => {
              setFewer(event.target.checked ? 'accepted' : 'asked')
            }}
          />
          {text.acceptFewer}
        </label>
      )}
      <Failed error={errors.root?.message} />
      <div className="flex flex-wrap gap-3">
        <button type="submit" disabled={isSubmitting} className={primaryButton}>
          {isSubmitting ? text.busy : source ? text.submitAgain : text.submit}
        </button>
        <button type="button" className={quietButton} onClick={onCancel}>
          {settings.common.cancel}
        </button>
      </div>
    </form>
  )
}
