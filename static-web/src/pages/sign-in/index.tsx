import { Eye, EyeOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useForm } from 'react-hook-form'
import { Navigate, useLocation } from 'react-router'
import { ApiError } from '../../api/client'
import { Mark } from '../../components/Mark'
import { primaryButton } from '../../components/Notice'
import { useSession } from '../../lib/session'
import { messages } from '../../messages'

interface Fields {
  email: string
  password: string
}

const text = messages.signIn
const input =
  'h-12 w-full rounded border bg-surface px-3 text-body hover:border-ink focus-visible:outline-offset-0'

export default function SignIn() {
  const { identity, restoring, ended, signIn } = useSession()
  const location = useLocation()
  const [visible, setVisible] = useState(false)
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useForm<Fields>({ defaultValues: { email: '', password: '' } })

  useEffect(() => {
    document.title = `${text.title} · ${messages.productShort}`
  }, [])

  const from = (location.state as { from?: string } | null)?.from ?? '/'
  if (identity && !restoring) return <Navigate to={from} replace />

  const submit = handleSubmit(async ({ email, password }) => {
    try {
      await signIn(email.trim(), password)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      for (const field of ['email', 'password'] as const) {
        const said = error.fields[field]?.[0]
        if (said) setError(field, { message: said })
      }
      if (!error.fields.email && !error.fields.password)
        setError('root', { message: error.message })
    }
  })

  const said = (id: string, message: string | undefined) =>
    message && (
      <p id={id} className="mt-1 text-small text-trouble">
        {message}
      </p>
    )

  return (
    <main id="main" tabIndex={-1} className="grid min-h-dvh content-center px-6 py-12">
      <div className="mx-auto w-full max-w-[22rem]">
        <Mark className="size-10" />
        <h1 className="mt-6 text-big font-semibold tracking-[-0.01em]">{text.lead}</h1>
        <p className="mt-1 text-muted">{text.leadMore}</p>
        <form
          noValidate
          onSubmit={(event) => void submit(event)}
          className="mt-8 space-y-5"
          aria-label={text.title}
        >
          {ended && !errors.root && (
            <p role="status" className="rounded bg-sunken px-3 py-2 text-small">
              {text.ended}
            </p>
          )}
          <div>
            <label htmlFor="email" className="mb-1 block text-small text-muted">
              {text.email}
            </label>
            <input
              id="email"
              type="email"
              autoComplete="username"
              inputMode="email"
              autoCapitalize="none"
              spellCheck={false}
              aria-invalid={errors.email ? true : undefined}
              aria-describedby={errors.email ? 'email-error' : undefined}
              className={`${input} ${errors.email ? 'border-trouble' : 'border-line-strong'}`}
              {...register('email', {
                required: text.emailMissing,
                pattern: { value: /^\s*\S+@\S+\s*$/, message: text.emailWrong },
              })}
            />
            {said('email-error', errors.email?.message)}
          </div>
          <div>
            <label htmlFor="password" className="mb-1 block text-small text-muted">
              {text.password}
            </label>
            <div className="relative">
              <input
                id="password"
                type={visible ? 'text' : 'password'}
                autoComplete="current-password"
                aria-invalid={errors.password ? true : undefined}
                aria-describedby={errors.password ? 'password-error' : undefined}
                className={`${input} pr-12 ${errors.password ? 'border-trouble' : 'border-line-strong'}`}
                {...register('password', { required: text.passwordMissing })}
              />
              <button
                type="button"
                aria-label={visible ? text.hide : text.show}
                aria-pressed={visible}
                className="tap absolute top-0.5 right-0.5 grid place-items-center text-muted hover:text-ink"
                onClick={() => {
                  setVisible(!visible)
                }}
              >
                {visible ? (
                  <EyeOff aria-hidden="true" size={18} />
                ) : (
                  <Eye aria-hidden="true" size={18} />
                )}
              </button>
            </div>
            {said('password-error', errors.password?.message)}
          </div>
          {errors.root && (
            <p role="alert" className="text-small text-trouble">
              {errors.root.message}
            </p>
          )}
          <button type="submit" disabled={isSubmitting} className={`${primaryButton} h-12 w-full`}>
            {isSubmitting ? text.submitting : text.submit}
          </button>
        </form>
      </div>
    </main>
  )
}
