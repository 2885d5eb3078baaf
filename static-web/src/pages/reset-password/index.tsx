import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { Link, useNavigate } from 'react-router'
import { ApiError } from '../../api/client'
import { Frame, Way } from '../../components/account/Frame'
import { IncompleteLink } from '../../components/account/IncompleteLink'
import { PasswordField } from '../../components/form/Field'
import { ofLink, place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { primaryButton } from '../../components/buttons'
import { enter } from '../../lib/enter'
import { isOfLink, useLinkToken } from '../../lib/link'
import { account } from '../../messages-account'

const text = account.reset

export default function ResetPassword() {
  const { token, forget } = useLinkToken('reset-password')
  const navigate = useNavigate()
  const [dead, setDead] = useState<string | null>(null)
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useForm<{ password: string }>({ defaultValues: { password: '' } })

  const submit = handleSubmit(async ({ password }) => {
    try {
      await enter('auth/reset-password', { token, password })
      forget()
      await navigate('/', { replace: true })
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'second-factor') {
        forget()
        await navigate('/sign-in/code', { replace: true })
      } else if (isOfLink(error)) {
        setDead(ofLink(error))
        forget()
      } else place(error, setError, { password: account.newPassword })
    }
  })

  if (dead)
    return (
      <Frame
        title={text.failedTitle}
        lead={<p role="alert">{dead}</p>}
        foot={<Way to="/sign-in">{account.code.back}</Way>}
      >
        <Link to="/forgot-password" className={`${primaryButton} mt-8 h-12 w-full`}>
          {text.ask}
        </Link>
      </Frame>
    )
  if (token === null && !isSubmitting) return <IncompleteLink />
  return (
    <Frame title={text.title} lead={text.lead}>
      <form
        noValidate
        onSubmit={(event) => void submit(event)}
        className="mt-8 space-y-5"
        aria-label={text.title}
      >
        <PasswordField
          id="password"
          label={account.newPassword}
          autoComplete="new-password"
          hint={account.newPasswordHint}
          error={errors.password?.message}
          {...register('password', { required: account.newPasswordMissing })}
        />
        <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
          {text.submit}
        </Submit>
      </form>
    </Frame>
  )
}
