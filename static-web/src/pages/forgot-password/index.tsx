import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { api } from '../../api/client'
import { Frame, Way, WayButton } from '../../components/account/Frame'
import { EmailField, emailRule } from '../../components/form/Field'
import { place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { account } from '../../messages-account'

const text = account.forgot

export default function ForgotPassword() {
  const [sent, setSent] = useState<string | null>(null)
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useForm<{ email: string }>({ defaultValues: { email: '' } })

  const submit = handleSubmit(async ({ email }) => {
    try {
      await api.open('POST', 'auth/forgot-password', { email: email.trim() })
      setSent(email.trim())
    } catch (error) {
      place(error, setError, { email: account.email })
    }
  })

  if (sent !== null)
    return (
      <Frame title={text.doneTitle} lead={<p role="status">{text.done(sent)}</p>}>
        <p className="mt-3 text-muted">{text.doneMore}</p>
        <div className="mt-6 flex flex-wrap gap-x-5">
          <Way to="/sign-in">{account.code.back}</Way>
          <WayButton
            onClick={() => {
              setSent(null)
            }}
          >
            {text.other}
          </WayButton>
        </div>
      </Frame>
    )
  return (
    <Frame
      title={text.title}
      lead={text.lead}
      foot={
        <p className="flex flex-wrap items-center gap-x-1.5">
          {text.remembered} <Way to="/sign-in">{account.toSignIn}</Way>
        </p>
      }
    >
      <form
        noValidate
        onSubmit={(event) => void submit(event)}
        className="mt-8 space-y-5"
        aria-label={text.title}
      >
        <EmailField
          id="email"
          label={account.email}
          error={errors.email?.message}
          {...register('email', emailRule)}
        />
        <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
          {text.submit}
        </Submit>
      </form>
    </Frame>
  )
}
