import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { Navigate, useLocation, useNavigate } from 'react-router'
import { api, ApiError } from '../../api/client'
import { Frame, Said, Way } from '../../components/account/Frame'
import { Providers } from '../../components/account/Providers'
import { EmailField, emailRule, PasswordField } from '../../components/form/Field'
import { place, sentence } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { enter } from '../../lib/enter'
import { wanted } from '../../lib/link'
import { useSession } from '../../lib/session'
import { account } from '../../messages-account'

interface Fields {
  email: string
  password: string
}

const text = account.signIn

/** What a provider's sign-in ended with, or that a session did. */
export function noticeOf(search: string, said: unknown, ended: boolean): string | null {
  const problem = new URLSearchParams(search).get('problem')
  if (problem !== null)
    return Object.hasOwn(text.problems, problem)
      ? (text.problems[problem] ?? null)
      : text.problemUnknown
  if (typeof said === 'string') return said
  return ended ? text.ended : null
}

export default function SignIn() {
  const { identity, restoring, ended } = useSession()
  const location = useLocation()
  const navigate = useNavigate()
  const {
    register,
    handleSubmit,
    setError,
    getValues,
    trigger,
    formState: { errors, isSubmitting },
  } = useForm<Fields>({ defaultValues: { email: '', password: '' } })

  const [refused, setRefused] = useState(false)
  const from = wanted(location)
  if (identity && !restoring) return <Navigate to={from} replace />

  const submit = handleSubmit(async ({ email, password }) => {
    try {
      await enter('auth/login', { email: email.trim(), password })
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'second-factor')
        await navigate('/sign-in/code', { state: { from } })
      else {
        // The same for every address, known or not: whoever never confirmed it finds the way here.
        setRefused(error instanceof ApiError && error.status === 401)
        place(error, setError, { email: account.email, password: account.password })
      }
    }
  })
  const said = (location.state as { said?: unknown } | null)?.said
  const notice = errors.root ? null : noticeOf(location.search, said, ended)

  return (
    <Frame
      title={text.title}
      heading={text.lead}
      lead={text.leadMore}
      foot={
        <p className="flex flex-wrap items-center gap-x-1.5">
          {text.new} <Way to="/register">{text.register}</Way>
        </p>
      }
    >
      <form
        noValidate
        onSubmit={(event) => void submit(event)}
        className="mt-8 space-y-5"
        aria-label={text.title}
      >
        {notice && <Said>{notice}</Said>}
        <EmailField
          id="email"
          label={account.email}
          error={errors.email?.message}
          {...register('email', emailRule)}
        />
        <PasswordField
          id="password"
          label={account.password}
          autoComplete="current-password"
          error={errors.password?.message}
          beside={<Way to="/forgot-password">{text.forgot}</Way>}
          {...register('password', { required: account.passwordMissing })}
        />
        <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
          {text.submit}
        </Submit>
        {refused && (
          <Again
            address={async () => ((await trigger('email')) ? getValues('email').trim() : null)}
          />
        )}
      </form>
      <Providers returnTo={from} />
    </Frame>
  )
}

/** The mail that confirms an address once more, to whatever address stands in the form. */
function Again({ address }: { address: () => Promise<string | null> }) {
  const [state, setState] = useState<'sending' | { sent: string } | { error: unknown } | null>(null)
  const send = async () => {
    const email = await address()
    if (email === null) return
    setState('sending')
    try {
      await api.open('POST', 'auth/verify-email/request', { email })
      setState({ sent: email })
    } catch (error) {
      setState({ error })
    }
  }
  if (state !== null && typeof state === 'object' && 'sent' in state)
    return (
      <p role="status" className="text-small text-muted [overflow-wrap:anywhere]">
        {text.sentAgain(state.sent)}
      </p>
    )
  return (
    <div className="text-small">
      <button
        type="button"
        disabled={state === 'sending'}
        className="tap font-semibold text-accent-strong hover:underline"
        onClick={() => void send()}
      >
        {state === 'sending' ? text.sendingAgain : text.sendAgain}
      </button>
      {state !== null && typeof state === 'object' && (
        <p role="alert" className="text-trouble">
          {sentence(state.error)}
        </p>
      )}
    </div>
  )
}
