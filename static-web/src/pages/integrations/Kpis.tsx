import { Plus } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'react-router'
import { useDraft } from '../../components/form/useDraft'
import { api, ApiError, base } from '../../api/client'
import type { CustomKpi, NewKpi } from '../../api/types'
import { DirectionSelect, UnitSelect } from '../../components/form/KpiKind'
import { place } from '../../components/form/problems'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import {
  CopyButton,
  Failed,
  Labelled,
  LoadFailed,
  Page,
  Rows,
  Section,
  Select,
  small,
  useFocus,
  useQuestion,
} from '../../components/ui'
import { addDays, dayIn, dayRange } from '../../lib/dates'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { kind } from '../../messages-kind'
import { settings } from '../../messages-settings'
import { useChanged, useCustomKpis, useMayChange } from './queries'
import { apiOf, pushCurl } from './snippets'
import { ReadOnly } from './Sources'
import { keyOf } from './words'

const text = words.kpis
const prefix = 'custom.'
const aggregations = ['sum', 'daily_mean', 'last', 'max', 'min'] as const
const outline = `${small} border border-line bg-surface hover:border-line-strong`

/** Numbers that a business defines itself. */
export default function Kpis() {
  const { tenant } = useIdentity()
  const query = useCustomKpis()
  const change = useMayChange('manage_settings')
  const changed = useChanged()
  const { ask, dialog } = useQuestion()
  const [form, setForm] = useState<CustomKpi | 'new' | null>(null)
  const [said, setSaid] = useState<{ text: string; fill: boolean } | null>(null)
  const all = query.data?.kpis
  const example = all?.[0]
  const snippet =
    example &&
    pushCurl(
      apiOf(base, location.origin),
      example.key,
      addDays(dayIn(tenant.timeZone, new Date()), -1),
    )
  return (
    <Page
      title={text.title}
      lead={text.lead}
      back={null}
      action={
        change &&
        form === null && (
          <button
            type="button"
            className={`${primaryButton} max-sm:w-full`}
            onClick={() => {
              setSaid(null)
              setForm('new')
            }}
          >
            <Plus aria-hidden="true" size={18} />
            {text.new}
          </button>
        )
      }
    >
      {!change && <ReadOnly />}
      {said && (
        <p role="status" className="mt-4 rounded bg-sunken px-4 py-3 text-small">
          {said.text} {said.fill && text.fill}{' '}
          {said.fill && (
            <Link to="/integrations/import" className="font-semibold text-accent-strong">
              {words.nav.import}
            </Link>
          )}
        </p>
      )}
      {form && (
        <Form
          key={form === 'new' ? 'new' : form.id}
          kpi={form === 'new' ? null : form}
          onCancel={() => {
            setForm(null)
          }}
          onDone={(made) => {
            setForm(null)
            setSaid(
              form === 'new'
                ? { text: text.made(made.name), fill: true }
                : { text: text.changed(made.name), fill: false },
            )
          }}
        />
      )}
      <div className="mt-6 border-t border-line">
        {all ? (
          all.length === 0 ? (
            <p className="py-5 text-muted">{text.empty}</p>
          ) : (
            <ul aria-label={text.list}>
              {all.map((kpi) => (
                <li
                  key={kpi.id}
                  className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 border-b border-line py-3"
                >
                  <div className="min-w-0 flex-1 basis-64">
                    <h2 className="font-semibold wrap-anywhere">{kpi.name}</h2>
                    {kpi.description && <p className="text-small">{kpi.description}</p>}
                    <p className="num text-small text-muted">
                      <code className="font-mono">{kpi.key}</code>
                      {' · '}
                      {[kind.units[kpi.unit], text.aggregations[kpi.aggregation], daysOf(kpi)].join(
                        ' · ',
                      )}
                    </p>
                  </div>
                  {change && (
                    <div className="flex gap-2">
                      <button
                        type="button"
                        aria-label={text.editOne(kpi.name)}
                        className={outline}
                        onClick={() => {
                          setSaid(null)
                          setForm(kpi)
                          scrollTo(0, 0)
                        }}
                      >
                        {text.edit}
                      </button>
                      <button
                        type="button"
                        aria-label={text.deleteOne(kpi.name)}
                        className={outline}
                        onClick={() => {
                          ask({
                            title: text.deleteTitle(kpi.name),
                            text: text.deleteText(
                              kpi.firstDay && kpi.lastDay
                                ? dayRange(kpi.firstDay, kpi.lastDay)
                                : null,
                            ),
                            action: text.delete,
                            danger: true,
                            run: async () => {
                              await api.delete(`kpis/custom/${kpi.id}`)
                              await changed('custom-kpis', 'catalogue')
                              setForm(null)
                              setSaid({ text: text.deleted(kpi.name), fill: false })
                            },
                          })
                        }}
                      >
                        {text.delete}
                      </button>
                    </div>
                  )}
                </li>
              ))}
            </ul>
          )
        ) : query.isError ? (
          <LoadFailed error={query.error} retry={query.refetch} />
        ) : (
          <Rows count={3} />
        )}
      </div>
      {snippet && (
        <Section
          title={text.example}
          action={<CopyButton text={snippet} label={text.exampleCopy} />}
        >
          <pre className="max-w-[44rem] rounded bg-sunken px-3 py-2.5 font-mono text-small break-all whitespace-pre-wrap">
            {snippet}
          </pre>
          <Link
            to="/settings/tokens"
            className="tap inline-flex items-center text-small font-semibold text-accent-strong"
          >
            {words.push.tokenAll}
          </Link>
        </Section>
      )}
      {dialog}
    </Page>
  )
}

const daysOf = ({ firstDay, lastDay }: CustomKpi) =>
  firstDay && lastDay ? text.values(dayRange(firstDay, lastDay)) : text.noValues

interface Fields {
  name: string
  key: string
  description: string
  unit: NewKpi['unit']
  direction: NewKpi['direction']
  aggregation: NewKpi['aggregation']
}

function Form({
  kpi,
  onDone,
  onCancel,
}: {
  kpi: CustomKpi | null
  onDone: (kpi: CustomKpi) => void
  onCancel: () => void
}) {
  const changed = useChanged()
  const heading = useFocus<HTMLHeadingElement>()
  const [own, setOwn] = useState(false)
  const {
    register,
    handleSubmit,
    setError,
    setValue,
    formState: { errors, isSubmitting },
  } = useDraft<Fields>(`kpi:${kpi?.id ?? 'new'}`, {
    defaultValues: {
      name: kpi?.name ?? '',
      key: kpi?.key.slice(prefix.length) ?? '',
      description: kpi?.description ?? '',
      unit: kpi?.unit ?? 'count',
      direction: kpi?.direction ?? 'up',
      aggregation: kpi?.aggregation ?? 'sum',
    },
  })
  const submit = handleSubmit(async ({ key, name, description, ...rest }) => {
    try {
      const body = { name: name.trim(), description: description.trim(), ...rest }
      const made = kpi
        ? await api.patch<CustomKpi>(`kpis/custom/${kpi.id}`, body)
        : await api.post<CustomKpi>('kpis/custom', { key: prefix + key.trim(), ...body })
      await changed('custom-kpis', 'catalogue')
      onDone(made)
    } catch (error) {
      // That a key is taken is said of the whole; it belongs to the key.
      if (!kpi && error instanceof ApiError && error.status === 409)
        setError('key', { message: error.message }, { shouldFocus: true })
      else
        place(error, setError, {
          name: text.name,
          key: text.key,
          description: text.description,
          unit: kind.unit,
          direction: kind.direction,
          aggregation: text.aggregation,
        })
    }
  })
  const title = kpi ? text.editTitle(kpi.name) : text.newTitle
  return (
    <form
      noValidate
      aria-label={title}
      onSubmit={(event) => void submit(event)}
      className="mt-5 max-w-[44rem] space-y-5 rounded border border-line bg-surface p-4 sm:p-6"
    >
      <h2
        ref={heading}
        tabIndex={-1}
        className="text-lead font-semibold outline-none wrap-anywhere"
      >
        {title}
      </h2>
      <Labelled label={text.name} error={errors.name?.message}>
        {(props) => (
          <input
            {...props}
            autoComplete="off"
            maxLength={60}
            {...register('name', {
              validate: (name) => name.trim() !== '' || text.nameMissing,
              onChange: (event: { target: { value: string } }) => {
                if (!kpi && !own) setValue('key', keyOf(event.target.value))
              },
            })}
          />
        )}
      </Labelled>
      {kpi ? (
        <p className="text-small">
          <span className="text-muted">{text.key}</span>{' '}
          <code className="font-mono">{kpi.key}</code>
        </p>
      ) : (
        <Labelled label={text.key} hint={text.keyHint} error={errors.key?.message}>
          {(props) => (
            <div className="flex items-center gap-1">
              <span aria-hidden="true" className="font-mono text-small text-muted">
                {prefix}
              </span>
              <input
                {...props}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                maxLength={53}
                {...register('key', {
                  validate: (key) => /^[a-z0-9](_?[a-z0-9])*$/.test(key.trim()) || text.keyWrong,
                  onChange: () => {
                    setOwn(true)
                  },
                })}
              />
            </div>
          )}
        </Labelled>
      )}
      <Labelled
        label={text.description}
        hint={text.descriptionHint}
        error={errors.description?.message}
      >
        {(props) => (
          <input {...props} autoComplete="off" maxLength={300} {...register('description')} />
        )}
      </Labelled>
      <div className="grid gap-4 sm:grid-cols-3">
        <UnitSelect field={register('unit')} error={errors.unit?.message} />
        <DirectionSelect field={register('direction')} error={errors.direction?.message} />
        <Labelled label={text.aggregation} error={errors.aggregation?.message}>
          {(props) => (
            <Select {...props} {...register('aggregation')}>
              {aggregations.map((aggregation) => (
                <option key={aggregation} value={aggregation}>
                  {text.aggregations[aggregation]}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      </div>
      <Failed error={errors.root?.message} />
      <div className="flex flex-wrap gap-3">
        <button type="submit" disabled={isSubmitting} className={primaryButton}>
          {isSubmitting ? text.creating : kpi ? text.save : text.create}
        </button>
        <button type="button" className={quietButton} onClick={onCancel}>
          {settings.common.cancel}
        </button>
      </div>
    </form>
  )
}
