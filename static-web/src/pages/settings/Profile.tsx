import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { useDraft } from '../../components/form/useDraft'
import { useUnsaved } from '../../components/form/useKept'
import { api, ApiError } from '../../api/client'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { useIdentity, useSession } from '../../lib/session'
import type { ThemeChoice } from '../../lib/theme'
import { chooseTheme, useThemeChoice } from '../../lib/themeChoice'
import { later } from '../../messages-later'
import { settings } from '../../messages-settings'
import { renewIdentity } from './queries'
import { SecondFactorPart } from './SecondFactorPart'
import { SessionsPart } from './SessionsPart'
import {
  Failed,
  Labelled,
  outlineDanger,
  Page,
  saveFile,
  Section,
  sentenceOf,
  State,
  useQuestion,
} from '../../components/ui'

const text = settings.profile

export default function Profile() {
  return (
    <Page title={text.title} lead={text.lead}>
      <You />
      <Appearance />
      <Password />
      <SecondFactorPart />
      <SessionsPart />
      <OwnData />
    </Page>
  )
}

function You() {
  const { user } = useIdentity()
  const [saved, setSaved] = useState(false)
  const [mail, setMail] = useState<'sending' | 'sent' | { error: unknown } | null>(null)
  const {
    register,
    handleSubmit,
    reset,
    setError,
    formState: { errors, isDirty, isSubmitting },
  } = useDraft('profile', { defaultValues: { displayName: user.displayName } })
  const submit = handleSubmit(async ({ displayName }) => {
    try {
      await api.patch('auth/me', { displayName: displayName.trim() })
      reset({ displayName: displayName.trim() })
      setSaved(true)
      void renewIdentity()
    } catch (error) {
      setError('displayName', {
        message: (error instanceof ApiError && error.fields.displayName?.[0]) || sentenceOf(error),
      })
    }
  })
  return (
    <Section title={text.you}>
      <div className="max-w-[28rem] space-y-6">
        <form noValidate onSubmit={(event) => void submit(event)}>
          <Labelled label={text.name} hint={text.nameHint} error={errors.displayName?.message}>
            {(props) => (
              <input
                {...props}
                autoComplete="name"
                maxLength={200}
                {...register('displayName', {
                  validate: (name) => name.trim() !== '' || text.nameMissing,
                  onChange: () => {
                    setSaved(false)
                  },
                })}
              />
            )}
          </Labelled>
          {isDirty && (
            <button type="submit" disabled={isSubmitting} className={`${primaryButton} mt-3`}>
              {isSubmitting ? settings.common.saving : settings.common.save}
            </button>
          )}
          <p role="status" className="text-small text-good">
            {saved && !isDirty ? settings.common.saved : ''}
          </p>
        </form>
        <div>
          <p className="text-small text-muted">{text.email}</p>
          <p className="break-words">{user.email}</p>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 text-small">
            <State tone={user.emailVerified ? 'good' : 'attention'}>
              {user.emailVerified ? text.verified : text.notVerified}
            </State>
            {!user.emailVerified && mail !== 'sent' && (
              <button
                type="button"
                disabled={mail === 'sending'}
                className="tap font-semibold text-accent"
                onClick={() => {
                  setMail('sending')
                  api.post('auth/verify-email/resend').then(
                    () => {
                      setMail('sent')
                    },
                    (error: unknown) => {
                      setMail({ error })
                    },
                  )
                }}
              >
                {text.resend}
              </button>
            )}
          </p>
          <p role="status" className="text-small text-muted">
            {mail === 'sent' ? text.resent : ''}
          </p>
          {typeof mail === 'object' && <Failed error={mail?.error} />}
        </div>
      </div>
    </Section>
  )
}

/** Light or dark: of this browser, as it is the screen that somebody sits before. */
function Appearance() {
  const choice = useThemeChoice()
  const themes: ThemeChoice[] = ['system', 'light', 'dark']
  return (
    <Section title={later.menu.theme}>
      <div
        role="group"
        aria-label={later.menu.theme}
        className="grid max-w-80 grid-cols-3 rounded bg-sunken text-small"
      >
        {themes.map((theme) => (
          <button
            key={theme}
            type="button"
            aria-pressed={theme === choice}
            className={`tap rounded ${theme === choice ? 'border border-line bg-surface font-semibold' : 'text-muted hover:text-ink'}`}
            onClick={() => {
              chooseTheme(theme)
            }}
          >
            {later.menu.themes[theme]}
          </button>
        ))}
      </div>
    </Section>
  )
}

function Password() {
  const { user } = useIdentity()
  return (
    <Section title={text.password} lead={user.hasPassword ? text.passwordLead : text.none}>
      <div className="max-w-[28rem]">
        {user.hasPassword ? <ChangePassword /> : <SetPassword email={user.email} />}
      </div>
    </Section>
  )
}

function SetPassword({ email }: { email: string }) {
  const [state, setState] = useState<'sending' | 'sent' | { error: unknown } | null>(null)
  return (
    <>
      {state !== 'sent' && (
        <button
          type="button"
          disabled={state === 'sending'}
          className={quietButton}
          onClick={() => {
            setState('sending')
            api.post('auth/forgot-password', { email }).then(
              () => {
                setState('sent')
              },
              (error: unknown) => {
                setState({ error })
              },
            )
          }}
        >
          {text.sendMail}
        </button>
      )}
      <p role="status" className="text-small">
        {state === 'sent' ? text.mailSent(email) : ''}
      </p>
      {typeof state === 'object' && <Failed error={state?.error} />}
    </>
  )
}

function ChangePassword() {
  const { user } = useIdentity()
  const [visible, setVisible] = useState(false)
  const [done, setDone] = useState(false)
  const {
    register,
    handleSubmit,
    reset,
    setError,
    formState: { errors, isDirty, isSubmitting },
  } = useForm({ defaultValues: { currentPassword: '', newPassword: '' } })
  useUnsaved(isDirty && !isSubmitting, reset)
  const submit = handleSubmit(async (fields) => {
    setDone(false)
    try {
      await api.post('auth/change-password', fields)
      reset()
      setDone(true)
    } catch (error) {
      const said = error instanceof ApiError ? error.fields : {}
      for (const field of ['currentPassword', 'newPassword'] as const)
        if (said[field]?.[0]) setError(field, { message: said[field][0] })
      if (!said.currentPassword && !said.newPassword)
        setError('root', { message: sentenceOf(error) })
    }
  })
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="space-y-5">
      {/* Tells password managers whose password this is. */}
      <input
        type="text"
        autoComplete="username"
        value={user.email}
        readOnly
        hidden
        aria-hidden="true"
      />
      <Labelled label={text.current} error={errors.currentPassword?.message}>
        {(props) => (
          <input
            {...props}
            type="password"
            autoComplete="current-password"
            {...register('currentPassword', { required: text.currentMissing })}
          />
        )}
      </Labelled>
      <Labelled label={text.fresh} hint={text.freshHint} error={errors.newPassword?.message}>
        {(props) => (
          <div className="relative">
            <input
              {...props}
              type={visible ? 'text' : 'password'}
              autoComplete="new-password"
              className={`${props.className} pr-16`}
              {...register('newPassword', { required: text.freshMissing })}
            />
            <button
              type="button"
              aria-pressed={visible}
              className="tap absolute top-0 right-0 px-3 text-small text-muted hover:text-ink"
              onClick={() => {
                setVisible(!visible)
              }}
            >
              {visible ? text.hide : text.show}
              <span className="sr-only"> {text.fresh.toLowerCase()}</span>
            </button>
          </div>
        )}
      </Labelled>
      <Failed error={errors.root?.message} />
      <button type="submit" disabled={isSubmitting} className={quietButton}>
        {isSubmitting ? settings.common.saving : text.change}
      </button>
      <p role="status" className="text-small text-good">
        {done ? text.changed : ''}
      </p>
    </form>
  )
}

function OwnData() {
  const { user } = useIdentity()
  const { signOut } = useSession()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const { ask, dialog } = useQuestion()
  const download = async () => {
    setBusy(true)
    setFailed(null)
    try {
      const answer = await api.file('auth/me/export')
      saveFile(await answer.blob(), `kpi-dashboard-${user.email}.json`)
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Section title={text.data} lead={text.dataLead}>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 max-w-prose flex-1 basis-64 text-small text-muted">
          {text.exportLong}
        </p>
        <button
          type="button"
          disabled={busy}
          className={quietButton}
          onClick={() => void download()}
        >
          {busy ? settings.common.downloading : text.export}
        </button>
      </div>
      <Failed error={failed} />
      <div className="mt-4 flex flex-wrap items-center justify-between gap-x-6 gap-y-3 border-t border-line pt-4">
        <p className="min-w-0 max-w-prose flex-1 basis-64 text-small text-muted">
          {text.eraseLong}
        </p>
        <button
          type="button"
          className={outlineDanger}
          onClick={() => {
            ask({
              title: text.eraseTitle,
              text: text.eraseText,
              action: text.erase,
              busy: text.erasing,
              danger: true,
              typed: { label: text.eraseTyped(user.email), value: user.email },
              run: async () => {
                await api.delete('auth/me')
                await signOut()
              },
            })
          }}
        >
          {text.erase}
        </button>
      </div>
      {dialog}
    </Section>
  )
}
