import { useRef, useState } from 'react'
import { useForm } from 'react-hook-form'
import { Navigate, useLocation, useNavigate } from 'react-router'
import { ApiError } from '../../api/client'
import { Frame, Way, WayButton } from '../../components/account/Frame'
import { CodeField, digitsOf } from '../../components/form/CodeField'
import { Field } from '../../components/form/Field'
import { place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { enter } from '../../lib/enter'
import { wanted } from '../../lib/link'
import { useSession } from '../../lib/session'
import { account } from '../../messages-account'

const text = account.code

export default function SecondFactor() {
  const { identity, restoring } = useSession()
  const [recovery, setRecovery] = useState(false)
  const location = useLocation()
  const from = wanted(location)
  if (identity && !restoring) return <Navigate to={from} replace />
  return (
    <Frame
      title={recovery ? text.recoveryTitle : text.title}
      lead={recovery ? text.recoveryLead : text.lead}
      foot={<Way to="/sign-in">{text.back}</Way>}
    >
      <Step key={String(recovery)} recovery={recovery} from={from} />
      <div className="mt-3">
        <WayButton
          onClick={() => {
            setRecovery(!recovery)
          }}
        >
          {recovery ? text.toApp : text.toRecovery}
        </WayButton>
      </div>
    </Frame>
  )
}

function Step({ recovery, from }: { recovery: boolean; from: string }) {
  const navigate = useNavigate()
  const form = useRef<HTMLFormElement>(null)
  const {
    register,
    handleSubmit,
    setError,
    setValue,
    formState: { errors, isSubmitting },
  } = useForm<{ code: string }>({ defaultValues: { code: '' } })

  const submit = handleSubmit(async ({ code }) => {
    try {
      await enter('auth/second-factor', { code: recovery ? code.trim() : digitsOf(code) })
    } catch (error) {
      // Without a challenge there is nothing to go on with; a wrong code is said of the field.
      if (error instanceof ApiError && error.status === 401 && !error.fields.code)
        await navigate('/sign-in', { replace: true, state: { from, said: text.expired } })
      else {
        // What was entered is of no more use: the next code starts at an empty field.
        if (!recovery) setValue('code', '')
        place(error, setError, { code: recovery ? text.recoveryLabel : text.label })
      }
    }
  })

  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => void submit(event)}
      className="mt-8 space-y-5"
      aria-label={recovery ? text.recoveryTitle : text.title}
    >
      {recovery ? (
        <Field
          id="code"
          label={text.recoveryLabel}
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          // This field is what the button just pressed asked for.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          error={errors.code?.message}
          {...register('code', { required: text.recoveryMissing })}
        />
      ) : (
        <CodeField
          id="code"
          label={text.label}
          error={errors.code?.message}
          readOnly={isSubmitting}
          onFull={() => form.current?.requestSubmit()}
          {...register('code', {
            validate: (code) => digitsOf(code).length === 6 || text.missing,
          })}
        />
      )}
      <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
        {text.submit}
      </Submit>
    </form>
  )
}
