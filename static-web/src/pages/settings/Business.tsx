import { useQueryClient } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useMemo, useState, type ReactNode } from 'react'
import { Controller, useWatch } from 'react-hook-form'
import { api, ApiError } from '../../api/client'
import type { Settings, SettingsEffect } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { useDraft } from '../../components/form/useDraft'
import { quietButton } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { Value } from '../../components/Value'
import type { ShownUnit } from '../../lib/format'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { settings } from '../../messages-settings'
import { useConfirmation } from '../../components/confirmations'
import { Combo } from './Combo'
import { renewIdentity, useSettings } from './queries'
import { currencyChoices, localeChoices, timeZoneChoices } from './regions'
import {
  Failed,
  Labelled,
  LoadFailed,
  Page,
  Section,
  Select,
  sentenceOf,
} from '../../components/ui'
import { monthName, parseAmount, weekday } from './words'
import { locale } from '../../lib/locale'

const text = settings.business

interface Fields {
  name: string
  timeZone: string
  currency: string
  locale: string
  weekStart: string
  fiscalYearStartMonth: string
  hourlyLabourCost: string
  automationCostPerMonth: string
  requireSecondFactor: boolean
}

const amountText = (amount: number | null) => (amount === null ? '' : String(amount))
const toFields = (data: Settings): Fields => ({
  ...data,
  weekStart: String(data.weekStart),
  fiscalYearStartMonth: String(data.fiscalYearStartMonth),
  hourlyLabourCost: amountText(data.hourlyLabourCost),
  automationCostPerMonth: amountText(data.automationCostPerMonth),
})
const toSettings = (fields: Fields): Settings => ({
  ...fields,
  // Chosen on the overview; what is not said stays.
  headline: null,
  name: fields.name.trim(),
  weekStart: Number(fields.weekStart),
  fiscalYearStartMonth: Number(fields.fiscalYearStartMonth),
  hourlyLabourCost: parseAmount(fields.hourlyLabourCost) ?? null,
  automationCostPerMonth: parseAmount(fields.automationCostPerMonth) ?? null,
})

export function Business() {
  const { tenant } = useIdentity()
  const query = useSettings()
  const may = useMay('manage_settings')
  const lead = !may
    ? text.readOnly(messages.tenant.role[tenant.role])
    : tenant.deleteAfter
      ? text.deleting
      : text.lead
  return (
    <Page title={text.title} lead={lead}>
      {query.data ? (
        <SettingsForm
          key={tenant.id}
          data={query.data}
          readOnly={!may || tenant.deleteAfter !== null}
        />
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <Waiting />
      )}
    </Page>
  )
}

function Waiting() {
  return (
    <div aria-busy="true" className="max-w-[40rem]">
      <span className="sr-only">{messages.loading}</span>
      {[1, 5, 2].map((count) => (
        <div key={count} className="mt-8 space-y-5 border-t border-line pt-6">
          <Skeleton className="h-6 w-40" />
          {Array.from({ length: count }, (_, i) => (
            <Skeleton key={i} className="h-11 w-full" />
          ))}
        </div>
      ))}
    </div>
  )
}

function SettingsForm({ data, readOnly }: { data: Settings; readOnly: boolean }) {
  const confirmed = useConfirmation()
  const { tenant, user } = useIdentity()
  const client = useQueryClient()
  const [effects, setEffects] = useState<readonly SettingsEffect[] | null>(null)
  const {
    control,
    register,
    handleSubmit,
    reset,
    setError,
    formState: { errors, isSubmitting, isDirty },
  } = useDraft<Fields>('business', { defaultValues: toFields(data) })
  const now = useMemo(() => new Date(), [])
  const zones = useMemo(() => timeZoneChoices(data.timeZone, now), [data.timeZone, now])
  const currencies = useMemo(() => currencyChoices(data.currency), [data.currency])
  const locales = useMemo(() => localeChoices(data.locale), [data.locale])
  const values = useWatch({ control })
  const zone = values.timeZone ?? data.timeZone
  const symbol = currencySign(values.currency ?? data.currency)

  const submit = handleSubmit(async (fields) => {
    setEffects(null)
    try {
      const answer = await confirmed(() =>
        api.put<{ settings: Settings; effects: SettingsEffect[] }>('tenant', toSettings(fields)),
      )
      client.setQueryData(['settings', tenant.id], answer.settings)
      reset(toFields(answer.settings))
      setEffects(answer.effects)
      // Days, amounts and worth elsewhere follow these settings.
      void client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[1] === tenant.id && queryKey[0] !== 'settings',
      })
      void renewIdentity()
    } catch (error) {
      const said = error instanceof ApiError ? Object.entries(error.fields) : []
      for (const [field, [sentence]] of said)
        if (field in fields) setError(field as keyof Fields, { message: sentence ?? '' })
      if (!said.some(([field]) => field in fields)) setError('root', { message: sentenceOf(error) })
    }
  })

  const amount = {
    validate: (typed: string) => parseAmount(typed) !== undefined || text.amountWrong,
  }
  return (
    <>
      <form noValidate onSubmit={(event) => void submit(event)} className="max-w-[40rem]">
        <div className="mt-6">
          <Labelled label={text.name} error={errors.name?.message}>
            {(props) => (
              <input
                {...props}
                disabled={readOnly}
                autoComplete="organization"
                maxLength={200}
                {...register('name', {
                  validate: (name) => name.trim() !== '' || text.nameMissing,
                })}
              />
            )}
          </Labelled>
        </div>

        <Section title={text.region} lead={text.regionLead}>
          <div className="grid gap-x-6 gap-y-5 sm:grid-cols-2">
            <Controller
              name="timeZone"
              control={control}
              render={({ field }) => (
                <Labelled
                  label={text.timeZone}
                  hint={text.timeZoneHint(timeIn(zone, now))}
                  error={errors.timeZone?.message}
                >
                  {(props) => (
                    <Combo
                      {...props}
                      disabled={readOnly}
                      value={field.value}
                      choices={zones}
                      onChange={field.onChange}
                    />
                  )}
                </Labelled>
              )}
            />
            <Controller
              name="currency"
              control={control}
              render={({ field }) => (
                <Labelled
                  label={text.currency}
                  hint={text.currencyHint}
                  error={errors.currency?.message}
                >
                  {(props) => (
                    <Combo
                      {...props}
                      disabled={readOnly}
                      value={field.value}
                      choices={currencies}
                      onChange={field.onChange}
                    />
                  )}
                </Labelled>
              )}
            />
            <Labelled label={text.weekStart} error={errors.weekStart?.message}>
              {(props) => (
                <Select {...props} disabled={readOnly} {...register('weekStart')}>
                  {[1, 2, 3, 4, 5, 6, 0].map((day) => (
                    <option key={day} value={day}>
                      {weekday(day)}
                    </option>
                  ))}
                </Select>
              )}
            </Labelled>
            <Labelled label={text.fiscalYear} error={errors.fiscalYearStartMonth?.message}>
              {(props) => (
                <Select {...props} disabled={readOnly} {...register('fiscalYearStartMonth')}>
                  {Array.from({ length: 12 }, (_, i) => (
                    <option key={i} value={i + 1}>
                      {monthName(i + 1)}
                    </option>
                  ))}
                </Select>
              )}
            </Labelled>
            <div className="sm:col-span-2">
              <Controller
                name="locale"
                control={control}
                render={({ field }) => (
                  <Labelled
                    label={text.locale}
                    hint={text.localeHint}
                    error={errors.locale?.message}
                  >
                    {(props) => (
                      <Combo
                        {...props}
                        disabled={readOnly}
                        value={field.value}
                        choices={locales}
                        onChange={field.onChange}
                      />
                    )}
                  </Labelled>
                )}
              />
            </div>
          </div>
        </Section>

        <Section title={text.worth} lead={text.worthLead}>
          <div className="grid gap-x-6 gap-y-5 sm:grid-cols-2">
            {(
              [
                ['hourlyLabourCost', text.labour, text.labourHint],
                ['automationCostPerMonth', text.cost, text.costHint],
              ] as const
            ).map(([field, label, hint]) => (
              <Labelled key={field} label={label} hint={hint} error={errors[field]?.message}>
                {(props) => (
                  <div className="relative">
                    <input
                      {...props}
                      disabled={readOnly}
                      inputMode="decimal"
                      autoComplete="off"
                      className={`num ${props.className} pr-16`}
                      {...register(field, amount)}
                    />
                    <span
                      aria-hidden="true"
                      className="pointer-events-none absolute top-2.5 right-3 text-muted"
                    >
                      {symbol}
                    </span>
                  </div>
                )}
              </Labelled>
            ))}
          </div>
        </Section>

        <Section title={text.security}>
          <label className="flex min-h-11 items-start gap-3">
            <input
              type="checkbox"
              disabled={readOnly}
              aria-describedby="require-long"
              className="mt-1 size-5 shrink-0 accent-accent"
              {...register('requireSecondFactor')}
            />
            <span className="font-semibold">{text.require}</span>
          </label>
          <p id="require-long" className="-mt-2 ml-8 max-w-prose text-small text-muted">
            {text.requireLong}
            {values.requireSecondFactor && !data.requireSecondFactor && !user.secondFactor && (
              <span className="mt-1 block font-semibold text-attention">{text.requireSelf}</span>
            )}
          </p>
        </Section>

        <div role="status" className="sticky bottom-3 z-20">
          {effects && !isDirty && (
            <Effects
              effects={effects}
              currency={data.currency}
              onClose={() => {
                setEffects(null)
              }}
            />
          )}
        </div>
        {isDirty && (
          <Bar>
            <p className="min-w-0 flex-1 basis-48 text-small text-muted">
              {errors.root ? <Failed error={errors.root.message} /> : text.unsaved}
            </p>
            <div className="flex gap-3">
              <button
                type="button"
                className={quietButton}
                onClick={() => {
                  reset()
                }}
              >
                {text.discard}
              </button>
              <button type="submit" disabled={isSubmitting} className={primaryButton}>
                {isSubmitting ? settings.common.saving : settings.common.save}
              </button>
            </div>
          </Bar>
        )}
      </form>
    </>
  )
}

function Bar({ children }: { children: ReactNode }) {
  return (
    <div className="arrive sticky bottom-3 z-20 mt-8 flex flex-wrap items-center gap-3 rounded border border-line bg-surface px-4 py-3 shadow-over">
      {children}
    </div>
  )
}

/** What saving did to the numbers: each before and after. */
function Effects({
  effects,
  currency,
  onClose,
}: {
  effects: readonly SettingsEffect[]
  currency: string
  onClose: () => void
}) {
  return (
    <Bar>
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{effects.length === 0 ? text.noEffect : text.effects}</p>
        {effects.length > 0 && (
          <ul className="mt-1 space-y-0.5">
            {effects.map((effect) => {
              const style = {
                unit: (effect.kpi.endsWith('.roi') ? 'times' : effect.unit) as ShownUnit,
                currency,
                precision: 'table' as const,
              }
              return (
                <li key={effect.kpi} className="flex flex-wrap gap-x-2">
                  <span className="text-muted">{effect.name}</span>
                  <span className="whitespace-nowrap">
                    <Value value={effect.before} {...style} />
                    <span aria-hidden="true"> → </span>
                    <span className="sr-only"> {text.effectArrow} </span>
                    <strong className="font-semibold">
                      <Value value={effect.after} {...style} />
                    </strong>
                  </span>
                </li>
              )
            })}
          </ul>
        )}
      </div>
      <button
        type="button"
        aria-label={settings.common.close}
        className="tap grid shrink-0 place-items-center self-start rounded text-muted hover:text-ink"
        onClick={onClose}
      >
        <X aria-hidden="true" size={18} />
      </button>
    </Bar>
  )
}

function timeIn(timeZone: string, now: Date) {
  try {
    return new Intl.DateTimeFormat(locale, {
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
    }).format(now)
  } catch {
    return messages.notMeasurable
  }
}

function currencySign(currency: string) {
  try {
    return (
      new Intl.NumberFormat(locale, {
        style: 'currency',
        currency,
        currencyDisplay: 'narrowSymbol',
      })
        .formatToParts(0)
        .find((part) => part.type === 'currency')?.value ?? currency
    )
  } catch {
    return currency
  }
}
