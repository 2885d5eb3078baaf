import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useForm } from 'react-hook-form'
import { Link } from 'react-router'
import { api, ApiError, refreshSession } from '../../api/client'
import { Frame, Said, Way } from '../../components/account/Frame'
import { IncompleteLink } from '../../components/account/IncompleteLink'
import { PasswordField } from '../../components/form/Field'
import { ofLink, place, sentence } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { isOfLink, useLinkToken } from '../../lib/link'
import { useSession } from '../../lib/session'
import { account } from '../../messages-account'

const text = account.verify

export default function VerifyEmail() {
  const { token, forget } = useLinkToken('verify-email')
  const { identity, restoring } = useSession()
  // Tried once it is known who is signed in. As a query, so that a page drawn twice confirms once.
  const attempt = useQuery({
    queryKey: ['verify-email', token],
    queryFn: async () => {
      await api.open('POST', 'auth/verify-email', { token })
      return true
    },
    enabled: token !== null && !restoring,
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
  const withPassword = useMutation({
    mutationFn: (password: string) => api.open('POST', 'auth/verify-email', { token, password }),
  })
  const done = attempt.isSuccess || withPassword.isSuccess
  const signedIn = identity !== null
  useEffect(() => {
    if (!done) return
    forget()
    // The session then knows it too.
    if (signedIn) refreshSession().catch(() => undefined)
  }, [done, signedIn, forget])

  if (done)
    return (
      <Frame title={text.done} lead={<p role="status">{text.doneText}</p>}>
        <Link to="/" className={`${primaryButton} mt-8 h-12 w-full`}>
          {signedIn ? account.toOverview : account.toSignIn}
        </Link>
      </Frame>
    )
  if (token === null) return <IncompleteLink />
  const refused = withPassword.error instanceof ApiError && withPassword.error.status === 409
  const error = refused || isOfLink(withPassword.error) ? withPassword.error : attempt.error
  if (!error) return <Frame title={text.title} lead={<p role="status">{text.working}</p>} />
  if (error instanceof ApiError && error.kind === 'password-needed')
    return <WithPassword confirm={(password) => withPassword.mutateAsync(password)} />
  if (!(error instanceof ApiError) || error.status < 400 || error.status > 428)
    return (
      <Frame title={text.failed} lead={<p role="alert">{sentence(error)}</p>}>
        <button
          type="button"
          className={`${primaryButton} mt-8 h-12 w-full`}
          onClick={() => void attempt.refetch()}
        >
          {account.retry}
        </button>
      </Frame>
    )
  return (
    <Frame
      title={text.failed}
      lead={<p role="alert">{ofLink(error)}</p>}
      foot={identity && <Way to="/">{account.toOverview}</Way>}
    >
      {!identity ? (
        <>
          {isOfLink(error) && <p className="mt-3 text-muted">{text.signInForNew}</p>}
          <Link to="/sign-in" className={`${primaryButton} mt-8 h-12 w-full`}>
            {account.toSignIn}
          </Link>
        </>
      ) : (
        isOfLink(error) && !identity.user.emailVerified && <Resend email={identity.user.email} />
      )}
    </Frame>
  )
}

function WithPassword({ confirm }: { confirm: (password: string) => Promise<unknown> }) {
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useForm<{ password: string }>({ defaultValues: { password: '' } })
  const submit = handleSubmit(async ({ password }) => {
    try {
      await confirm(password)
    } catch (error) {
      place(error, setError, { password: account.password })
    }
  })
  return (
    <Frame title={text.title} lead={text.ask}>
      <form
        noValidate
        onSubmit={(event) => void submit(event)}
        className="mt-8 space-y-5"
        aria-label={text.title}
      >
        <PasswordField
          id="password"
          label={account.password}
          autoComplete="current-password"
          error={errors.password?.message}
          {...register('password', { required: account.passwordMissing })}
        />
        <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
          {text.submit}
        </Submit>
      </form>
    </Frame>
  )
}

function Resend({ email }: { email: string }) {
  const resend = useMutation({ mutationFn: () => api.post('auth/verify-email/resend') })
  return (
    <div className="mt-8 space-y-5">
      {resend.isSuccess ? (
        <Said>{text.sent(email)}</Said>
      ) : (
        <button
          type="button"
          disabled={resend.isPending}
          className={`${quietButton} h-12 w-full`}
          onClick={() => {
            resend.mutate()
          }}
        >
          {resend.isPending ? text.bannerSending : text.again}
        </button>
      )}
      {resend.error && (
        <p role="alert" className="text-small text-trouble">
          {sentence(resend.error)}
        </p>
      )}
    </div>
  )
}
