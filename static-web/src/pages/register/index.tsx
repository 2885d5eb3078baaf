import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { Navigate, useLocation } from 'react-router'
import type { PendingSignUp } from '../../api/types'
import { api } from '../../api/client'
import { Frame, Said, Way, WayButton } from '../../components/account/Frame'
import { Providers } from '../../components/account/Providers'
import { EmailField, emailRule, Field, PasswordField } from '../../components/form/Field'
import { place, sentence } from '../../components/form/problems'
import { CurrencySelect, TimeZoneSelect } from '../../components/form/Region'
import { Submit } from '../../components/form/Submit'
import { enter } from '../../lib/enter'
import { currencyOf, placeOf, timeZoneHere } from '../../lib/region'
import { useSession } from '../../lib/session'
import { account } from '../../messages-account'

const text = account.register

interface Fields {
  displayName: string
  businessName: string
  email: string
  password: string
  timeZone: string
  currency: string
}

export default function Register() {
  const { identity, restoring } = useSession()
  const { search } = useLocation()
  const through = new URLSearchParams(search).has('provider')
  const [made, setMade] = useState(false)
  const pending = useQuery({
    queryKey: ['oidc-pending'],
    queryFn: () => api.open<PendingSignUp>('GET', 'auth/oidc/pending'),
    enabled: through && !identity && !restoring,
    retry: false,
    refetchOnWindowFocus: false,
    gcTime: 0,
  })
  if (identity && !restoring) return <Navigate to={made ? '/welcome' : '/'} replace />

  const foot = (
    <p className="flex flex-wrap items-center gap-x-1.5">
      {text.have} <Way to="/sign-in">{account.toSignIn}</Way>
    </p>
  )
  if (through && pending.isPending) return <Frame title={text.title} lead={account.working} />
  if (through && !pending.data)
    return (
      <Frame title={text.title} lead={text.lead} foot={foot}>
        <div className="mt-8">
          <Said alert>
            {pending.error && 'status' in pending.error && pending.error.status === 0
              ? sentence(pending.error)
              : text.providerExpired}
          </Said>
        </div>
        <Providers returnTo="/" label={text.withProvider} />
        <div className="mt-3">
          <Way to="/register">{text.otherWay}</Way>
        </div>
      </Frame>
    )
  return (
    <Frame
      title={text.title}
      lead={pending.data ? text.through(pending.data.providerName, pending.data.email) : text.lead}
      foot={foot}
    >
      <Form
        key={pending.data?.provider}
        pending={pending.data}
        onMade={() => {
          setMade(true)
        }}
      />
      {!pending.data && <Providers returnTo="/" label={text.withProvider} />}
    </Frame>
  )
}

function Form({ pending, onMade }: { pending: PendingSignUp | undefined; onMade: () => void }) {
  const [asked, setAsked] = useState(false)
  const {
    register,
    handleSubmit,
    setError,
    getValues,
    formState: { errors, isSubmitting },
  } = useForm<Fields>({
    defaultValues: {
      displayName: pending?.displayName ?? '',
      businessName: '',
      email: '',
      password: '',
      timeZone: timeZoneHere(),
      currency: currencyOf(timeZoneHere(), navigator.language),
    },
  })
  const regionOpen = asked || errors.timeZone !== undefined || errors.currency !== undefined
  const submit = handleSubmit(async ({ email, password, ...about }) => {
    try {
      // Before there is a session, which leads away from here at once.
      onMade()
      if (pending) await enter('auth/oidc/register', about)
      else await enter('auth/register', { ...about, email: email.trim(), password })
    } catch (error) {
      place(error, setError, {
        displayName: account.name,
        businessName: text.business,
        email: account.email,
        password: account.password,
        timeZone: text.timeZone,
        currency: text.currency,
      })
    }
  })
  const { timeZone, currency } = getValues()

  return (
    <form
      noValidate
      onSubmit={(event) => void submit(event)}
      className="mt-8 space-y-5"
      aria-label={text.title}
    >
      <Field
        id="displayName"
        label={account.name}
        autoComplete="name"
        error={errors.displayName?.message}
        {...register('displayName', { required: account.nameMissing })}
      />
      <Field
        id="businessName"
        label={text.business}
        autoComplete="organization"
        error={errors.businessName?.message}
        {...register('businessName', { required: text.businessMissing })}
      />
      {!pending && (
        <>
          <EmailField
            id="email"
            label={account.email}
            error={errors.email?.message}
            {...register('email', emailRule)}
          />
          <PasswordField
            id="password"
            label={account.password}
            autoComplete="new-password"
            hint={account.newPasswordHint}
            error={errors.password?.message}
            {...register('password', { required: account.newPasswordMissing })}
          />
        </>
      )}
      {regionOpen ? (
        <>
          <TimeZoneSelect
            id="timeZone"
            focus={asked}
            chosen={timeZone}
            error={errors.timeZone?.message}
            field={register('timeZone')}
          />
          <CurrencySelect
            id="currency"
            chosen={currency}
            error={errors.currency?.message}
            field={register('currency')}
          />
        </>
      ) : (
        <p className="text-small text-muted">
          {text.region(placeOf(timeZone), currency)}{' '}
          <WayButton
            onClick={() => {
              setAsked(true)
            }}
          >
            {text.change}
            <span className="sr-only">
              : {text.timeZone}, {text.currency}
            </span>
          </WayButton>
        </p>
      )}
      <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.submitting}>
        {text.submit}
      </Submit>
    </form>
  )
}
