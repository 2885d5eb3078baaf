import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useForm } from 'react-hook-form'
import { useNavigate } from 'react-router'
import { api, ApiError, refreshSession } from '../../api/client'
import type { InvitationAnswer, InvitationDetails } from '../../api/types'
import { Frame, Way, WayButton, WayOn } from '../../components/account/Frame'
import { IncompleteLink } from '../../components/account/IncompleteLink'
import { Field, PasswordField } from '../../components/form/Field'
import { ofLink, place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { primaryButton } from '../../components/buttons'
import { enter } from '../../lib/enter'
import { isOfLink, useLinkToken } from '../../lib/link'
import { useSession } from '../../lib/session'
import { account } from '../../messages-account'

const text = account.invitation

const same = (one: string, other: string) => one.trim().toUpperCase() === other.trim().toUpperCase()

export default function Invitation() {
  const { token, forget } = useLinkToken('invitation')
  const { identity, restoring } = useSession()
  const navigate = useNavigate()
  const [dead, setDead] = useState<unknown>(null)
  const invitation = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => api.open<InvitationDetails>('POST', 'auth/invitation', { token }),
    enabled: token !== null && !restoring,
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })

  /** Joins; what a form can mend is thrown. */
  const accept = async (answer: Omit<InvitationAnswer, 'token'>) => {
    try {
      // The page may have been open for longer than a token lives.
      if (identity) await refreshSession()
      await enter('auth/accept-invitation', { token, ...answer })
      forget()
      await navigate('/', { replace: true })
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'second-factor') {
        // The password was right, so the person belongs to the business already; only the sign-in waits for the code.
        forget()
        await navigate('/sign-in/code', { replace: true })
      } else if (isOfLink(error)) setDead(error)
      else throw error
    }
  }

  if (token === null && !invitation.data) return <IncompleteLink />
  const error = dead ?? invitation.error
  if (error) return <Failed error={error} retry={() => void invitation.refetch()} />
  if (!invitation.data || restoring)
    return <Frame title={text.pageTitle} lead={<p role="status">{account.working}</p>} />

  const { businessName, email, role, invitedBy, hasAccount } = invitation.data
  const around = (children: ReactNode, foot?: ReactNode) => (
    <Frame
      title={text.pageTitle}
      heading={text.title(businessName)}
      lead={
        <>
          <p>{invitedBy ? text.by(invitedBy, role) : text.byNobody(role)}</p>
          <p>{text.may(role)}</p>
        </>
      }
      foot={foot}
    >
      {children}
    </Frame>
  )
  if (identity && !same(identity.user.email, email))
    return around(
      <WrongPerson invited={email} signedIn={identity.user.email} />,
      <Way to="/">{text.stay}</Way>,
    )
  if (identity)
    return around(<Answer said={text.signedInAs(email)} button={text.join} accept={accept} />)
  if (hasAccount)
    return around(
      <Answer
        said={text.has(email)}
        button={text.signInAndJoin}
        accept={accept}
        email={email}
        password="current"
      />,
      <p className="flex flex-wrap gap-x-5">
        <Way to="/sign-in" state={{ from: '/invitation' }}>
          {text.other}
        </Way>
        <Way to="/forgot-password">{account.signIn.forgot}</Way>
      </p>,
    )
  return around(
    <Answer
      said={text.make(email)}
      button={text.makeAndJoin}
      accept={accept}
      email={email}
      password="new"
    />,
  )
}

interface Fields {
  displayName: string
  password: string
}

/** Joins: with one button, with the password of the account, or with a name and a password for a new one. */
function Answer({
  said,
  button,
  accept,
  email,
  password,
}: {
  said: string
  button: string
  accept: (answer: Omit<InvitationAnswer, 'token'>) => Promise<void>
  email?: string
  password?: 'current' | 'new'
}) {
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useForm<Fields>({ defaultValues: { displayName: '', password: '' } })
  const submit = handleSubmit(async (fields) => {
    try {
      await accept({
        ...(password && { password: fields.password }),
        ...(password === 'new' && { displayName: fields.displayName }),
      })
    } catch (error) {
      place(error, setError, { displayName: account.name, password: account.password })
    }
  })
  return (
    <form
      noValidate
      onSubmit={(event) => void submit(event)}
      className="mt-8 space-y-5"
      aria-label={text.pageTitle}
    >
      <p className="text-small text-muted [overflow-wrap:anywhere]">{said}</p>
      {/* Password managers keep the password with the name that they find here. */}
      {email && <input hidden name="username" autoComplete="username" value={email} readOnly />}
      {password === 'new' && (
        <Field
          id="displayName"
          label={account.name}
          autoComplete="name"
          error={errors.displayName?.message}
          {...register('displayName', { required: account.nameMissing })}
        />
      )}
      {password && (
        <PasswordField
          id="password"
          label={account.password}
          autoComplete={`${password}-password`}
          hint={password === 'new' ? account.newPasswordHint : undefined}
          error={errors.password?.message}
          {...register('password', {
            required: password === 'new' ? account.newPasswordMissing : account.passwordMissing,
          })}
        />
      )}
      <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.joining}>
        {button}
      </Submit>
    </form>
  )
}

function WrongPerson({ invited, signedIn }: { invited: string; signedIn: string }) {
  const { signOut } = useSession()
  return (
    <div className="mt-8 space-y-5">
      <p role="status" className="[overflow-wrap:anywhere]">
        {text.wrongPerson(invited, signedIn)}
      </p>
      <button
        type="button"
        className={`${primaryButton} h-12 w-full`}
        onClick={() => void signOut()}
      >
        {text.signOut}
      </button>
    </div>
  )
}

function Failed({ error, retry }: { error: unknown; retry: () => void }) {
  const dead = isOfLink(error)
  return (
    <Frame
      title={text.pageTitle}
      heading={dead ? text.failed : text.pageTitle}
      lead={<p role="alert">{ofLink(error)}</p>}
      foot={dead ? <WayOn /> : <WayButton onClick={retry}>{account.retry}</WayButton>}
    >
      {dead && <p className="mt-3 text-muted">{text.askAgain}</p>}
    </Frame>
  )
}
