import { useWatch } from 'react-hook-form'
import { useDraft } from '../../components/form/useDraft'
import { api } from '../../api/client'
import type { CatalogueKpi, Goal, GoalChange, GoalRhythm, NewGoal } from '../../api/types'
import { place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { Failed, Labelled, Rows, Select } from '../../components/ui'
import { useSources } from '../../components/sources/useSources'
import { shownUnit } from '../../lib/kpis'
import { useIdentity } from '../../lib/session'
import { choicesOf } from '../../lib/sources'
import { goals } from '../../messages-goals'
import { Combo } from '../settings/Combo'
import { useOfTenant } from '../settings/queries'
import { targetOf, typedOf } from './entry'

const text = goals.form
const rhythms: readonly GoalRhythm[] = ['week', 'month', 'quarter', 'year', 'dated']

interface Form {
  kpi: string
  target: string
  rhythm: GoalRhythm
  startsOn: string
  endsOn: string
  name: string
  /** Id of the one source; empty for all. */
  source: string
}

interface Props {
  goal: Goal | null
  /** The number that a new goal is for, as far as it is known already. */
  kpi: string
  today: string | null
  onDone: () => Promise<void>
}

export function GoalForm(props: Props) {
  const catalogue = useOfTenant<CatalogueKpi[]>('kpis', 'kpis')
  if (catalogue.data) return <Fields {...props} catalogue={catalogue.data} />
  return catalogue.error ? <Failed error={catalogue.error} /> : <Rows count={3} />
}

function Fields({ goal, kpi, today, onDone, catalogue }: Props & { catalogue: CatalogueKpi[] }) {
  const { tenant } = useIdentity()
  const unitOf = (key: string) => {
    const found =
      catalogue.find((one) => one.key === key) ?? (goal && { key: goal.kpi, unit: goal.unit })
    return found ? shownUnit(found) : 'number'
  }
  const { register, handleSubmit, setError, setValue, getValues, control, formState } =
    useDraft<Form>(`goal:${goal?.id ?? 'new'}`, {
      defaultValues: {
        kpi: goal?.kpi ?? (catalogue.some((one) => one.key === kpi) ? kpi : ''),
        target: goal ? typedOf(goal.target, unitOf(goal.kpi)) : '',
        rhythm: goal?.rhythm ?? 'month',
        startsOn: goal?.startsOn ?? today ?? '',
        endsOn: goal?.endsOn ?? '',
        name: goal?.name ?? '',
        source: '',
      },
    })
  const { errors, isSubmitting } = formState
  const [picked, rhythm] = useWatch({ control, name: ['kpi', 'rhythm'] })
  // Only where several know this number; what it is set for does not change any more.
  const able = choicesOf(useSources(tenant.id, goal === null) ?? [], picked === '' ? '-' : picked)
  const unit = unitOf(picked)
  const down =
    (catalogue.find((one) => one.key === picked)?.direction ?? goal?.direction) === 'down'
  const unitWords =
    unit === 'currency'
      ? (catalogue.find((one) => one.key === picked)?.currency ?? goal?.currency ?? tenant.currency)
      : (text.units[unit] ?? '')
  const dated = rhythm === 'dated'

  const save = handleSubmit(async (form) => {
    const target = targetOf(form.target, unitOf(form.kpi))
    if (typeof target !== 'number') return
    const name = form.name.trim() || null
    try {
      if (goal) {
        const body: GoalChange = { target, name, ...(dated ? { endsOn: form.endsOn } : {}) }
        await api.patch(`goals/${goal.id}`, body)
      } else {
        const body: NewGoal = {
          kpi: form.kpi,
          target,
          rhythm: form.rhythm,
          name,
          // Chosen for another number, it is none of this one's.
          ...(able.some((one) => one.id === form.source) ? { sources: [form.source] } : {}),
          ...(dated ? { startsOn: form.startsOn, endsOn: form.endsOn } : {}),
        }
        await api.post('goals', body)
      }
    } catch (error) {
      place(error, setError, text.fields)
      return
    }
    await onDone()
  })

  return (
    <form noValidate className="space-y-4" onSubmit={(event) => void save(event)}>
      {!goal && (
        <Labelled label={text.kpi} error={errors.kpi?.message}>
          {(props) => (
            <>
              <input type="hidden" {...register('kpi', { required: text.pick })} />
              <Combo
                {...props}
                value={picked}
                choices={catalogue.map((one) => ({
                  value: one.key,
                  label: one.name,
                  hint: one.key,
                }))}
                onChange={(key) => {
                  setValue('kpi', key, { shouldValidate: true })
                }}
              />
            </>
          )}
        </Labelled>
      )}
      <Labelled
        label={(down ? text.limit : text.target)(unitWords)}
        hint={goal ? text.changeHint : down ? text.limitHint : text.targetHint}
        error={errors.target?.message}
      >
        {(props) => (
          <input
            {...props}
            inputMode="decimal"
            autoComplete="off"
            {...register('target', {
              validate: (typed) => {
                const target = targetOf(typed, unitOf(getValues('kpi')))
                return target === null ? text.missing : target === undefined ? text.notNumber : true
              },
            })}
          />
        )}
      </Labelled>
      {!goal && able.length > 0 && (
        <Labelled label={text.of} hint={text.ofHint} error={errors.source?.message}>
          {(props) => (
            <Select {...props} {...register('source')}>
              <option value="">{text.every}</option>
              {able.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      )}
      {!goal && (
        <Labelled label={text.rhythm} error={errors.rhythm?.message}>
          {(props) => (
            <Select {...props} {...register('rhythm')}>
              {rhythms.map((one) => (
                <option key={one} value={one}>
                  {text.rhythms[one]}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      )}
      {dated && (
        <div className="grid gap-4 sm:grid-cols-2">
          {!goal && (
            <Labelled label={text.from} error={errors.startsOn?.message}>
              {(props) => (
                <input
                  {...props}
                  type="date"
                  {...register('startsOn', { validate: (day) => day !== '' || text.day })}
                />
              )}
            </Labelled>
          )}
          <Labelled label={text.to} error={errors.endsOn?.message}>
            {(props) => (
              <input
                {...props}
                type="date"
                {...register('endsOn', {
                  validate: (day) =>
                    day === '' ? text.day : day >= getValues('startsOn') || text.after,
                })}
              />
            )}
          </Labelled>
        </div>
      )}
      <Labelled label={text.name} error={errors.name?.message}>
        {(props) => <input {...props} maxLength={60} autoComplete="off" {...register('name')} />}
      </Labelled>
      <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.saving}>
        {goal ? text.change : text.save}
      </Submit>
    </form>
  )
}
