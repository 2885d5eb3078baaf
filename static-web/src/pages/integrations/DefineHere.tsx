import { api, ApiError } from '../../api/client'
import type { CustomKpi, NewKpi } from '../../api/types'
import { quietButton } from '../../components/Notice'
import { Failed, Labelled, Section, sentenceOf } from '../../components/ui'
import { DirectionSelect, UnitSelect } from '../../components/form/KpiKind'
import { useDraft } from '../../components/form/useDraft'
import { words } from '../../messages-integrations'
import { keyOf } from './words'

const text = words.import
const prefix = 'custom.'

/** "custom.orders_shipped" is "Orders shipped"; what is a name already stays one. */
function nameOf(unknown: string) {
  if (!unknown.toLowerCase().startsWith(prefix)) return unknown
  const said = unknown.slice(prefix.length).replaceAll('_', ' ').trim()
  return said.charAt(0).toUpperCase() + said.slice(1)
}

/** Defines a number that a file names and nobody has defined, beside the file. */
export function DefineHere({ unknown, onDone }: { unknown: string; onDone: () => void }) {
  const {
    register,
    handleSubmit,
    setError,
    formState: { errors, isSubmitting },
  } = useDraft<Pick<NewKpi, 'name' | 'unit' | 'direction'>>(`import:${unknown}`, {
    defaultValues: { name: nameOf(unknown), unit: 'count', direction: 'up' },
  })
  const submit = handleSubmit(async (fields) => {
    try {
      const key = unknown.toLowerCase().startsWith(prefix)
        ? unknown.toLowerCase()
        : `${prefix}${keyOf(unknown)}`
      const name = fields.name.trim()
      await api.post<CustomKpi>('kpis/custom', {
        ...fields,
        key,
        name,
        description: text.unknownText(name),
        // A share or an average of days is no sum of them.
        aggregation: fields.unit === 'ratio' ? 'daily_mean' : 'sum',
      })
      onDone()
    } catch (error) {
      const said = error instanceof ApiError ? Object.values(error.fields).flat().join(' ') : ''
      setError('root', { message: said || sentenceOf(error) })
    }
  })
  return (
    <Section title={text.unknown(unknown)} lead={text.unknownLead}>
      <form
        noValidate
        className="grid max-w-[60rem] items-end gap-4 sm:grid-cols-4"
        onSubmit={(event) => void submit(event)}
      >
        <Labelled label={words.kpis.name} error={errors.name?.message}>
          {(props) => <input {...props} maxLength={100} {...register('name')} />}
        </Labelled>
        <UnitSelect field={register('unit')} error={errors.unit?.message} />
        <DirectionSelect field={register('direction')} error={errors.direction?.message} />
        <button type="submit" disabled={isSubmitting} className={quietButton}>
          {isSubmitting ? text.unknownMaking : text.unknownMake}
        </button>
      </form>
      <Failed error={errors.root?.message} />
    </Section>
  )
}
