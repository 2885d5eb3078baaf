import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { useLocation } from 'react-router'
import { api } from '../api/client'
import { useIdentity } from '../lib/session'
import { account } from '../messages-account'
import { Providers } from './account/Providers'
import { Dialog } from './Dialog'
import { CodeField, digitsOf } from './form/CodeField'
import { PasswordField } from './form/Field'
import { place } from './form/problems'
import { Submit } from './form/Submit'

const text = account.confirm

/** Asks once more who it is: by the password or, without one, by a code or the provider; by a code alone where the password would not do. */
export default function ConfirmIdentity({
  code = false,
  onEnd,
}: {
  code?: boolean
  onEnd: (confirmed: boolean) => void
}) {
  const { user } = useIdentity()
  const { pathname, search } = useLocation()
  const [by, setBy] = useState<'password' | 'code' | null>(
    code ? 'code' : user.hasPassword ? 'password' : user.secondFactor ? 'code' : null,
  )
  return (
    <Dialog
      title={text.title}
      open
      onClose={() => {
        onEnd(false)
      }}
    >
      {by === null ? (
        <>
          <p>{text.none}</p>
          <Providers returnTo={pathname + search} />
        </>
      ) : (
        <Proof
          key={by}
          by={by}
          email={user.email}
          onDone={() => {
            onEnd(true)
          }}
        />
      )}
      {!code && user.hasPassword && user.secondFactor && (
        <button
          type="button"
          className="tap mt-2 text-small text-accent hover:underline"
          onClick={() => {
            setBy(by === 'code' ? 'password' : 'code')
          }}
        >
          {by === 'code' ? text.usePassword : text.useCode}
        </button>
      )}
    </Dialog>
  )
}

function Proof({
  by,
  email,
  onDone,
}: {
  by: 'password' | 'code'
  email: string
  onDone: () => void
}) {
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useForm<{ password: string; code: string }>({ defaultValues: { password: '', code: '' } })
  const submit = handleSubmit(async ({ password, code }) => {
    try {
      // Not as a call of the session: a wrong password must not look like an ended one.
      await api.open(
        'POST',
        'auth/confirm',
        by === 'code' ? { code: digitsOf(code) } : { password },
      )
      onDone()
    } catch (error) {
      place(error, setError, { password: account.password, code: account.code.label })
    }
  })
  return (
    <form
      noValidate
      onSubmit={(event) => {
        // The dialog may stand inside another form.
        event.stopPropagation()
        void submit(event)
      }}
      className="space-y-5"
    >
      <p>{by === 'code' ? text.code : text.password}</p>
      {by === 'code' ? (
        <CodeField
          id="confirm-code"
          label={account.code.label}
          error={errors.code?.message}
          onFull={() => void submit()}
          {...register('code', {
            validate: (code) => digitsOf(code).length === 6 || account.code.missing,
          })}
        />
      ) : (
        <>
          <input hidden name="username" autoComplete="username" value={email} readOnly />
          <PasswordField
            id="confirm-password"
            label={account.password}
            autoComplete="current-password"
            // What the dialog is for.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            error={errors.password?.message}
            {...register('password', { required: account.passwordMissing })}
          />
        </>
      )}
      <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
        {text.submit}
      </Submit>
    </form>
  )
}
