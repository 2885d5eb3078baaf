import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useEffect, useMemo, useState } from 'react'
import { useWatch } from 'react-hook-form'
import { useNavigate } from 'react-router'
import { useDraft } from '../../components/form/useDraft'
import { api, ApiError } from '../../api/client'
import type {
  CalculatedKpi,
  CalculatedPreview,
  CatalogueKpi,
  NewCalculatedKpi,
} from '../../api/types'
import { Chart, type ChartSeries } from '../../components/chart/Chart'
import { named, place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { DirectionSelect, UnitSelect } from '../../components/form/KpiKind'
import { Labelled, Page, sentenceOf } from '../../components/ui'
import { Value } from '../../components/Value'
import { dayRange } from '../../lib/dates'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { calculated } from '../../messages-calculated'
import { useReload } from '../settings/queries'
import { keyOf } from './complete'
import { FormulaField } from './FormulaField'

const text = calculated.form
type Form = Required<Omit<NewCalculatedKpi, 'description'>> & { description: string }
const pause = 350

/** A value once it has stayed the same for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value)
    }, pause)
    return () => {
      clearTimeout(timer)
    }
  }, [value])
  return settled
}

/** Where a calculated KPI is written; what it gives is drawn beside it while it is written. */
export function Editor({
  kpi,
  catalogue,
}: {
  kpi: CalculatedKpi | null
  catalogue: readonly CatalogueKpi[]
}) {
  const navigate = useNavigate()
  const reload = useReload()
  const [ownKey, setOwnKey] = useState(false)
  const { register, handleSubmit, setError, setValue, clearErrors, control, formState } =
    useDraft<Form>(`calculated:${kpi?.id ?? 'new'}`, {
      defaultValues: {
        name: kpi?.name ?? '',
        key: kpi?.key ?? '',
        formula: kpi?.formula ?? '',
        unit: kpi?.unit ?? 'number',
        direction: kpi?.direction ?? 'up',
        description: kpi?.description ?? '',
      },
    })
  const { errors, isSubmitting } = formState
  const [name, formula, unit] = useWatch({ control, name: ['name', 'formula', 'unit'] })
  const asked = useSettled(formula.trim())
  const preview = useQuery({
    queryKey: ['calculated-preview', useIdentity().tenant.id, asked, unit, kpi?.key ?? null],
    queryFn: () =>
      api.post<CalculatedPreview>('kpis/calculated/preview', {
        formula: asked,
        unit,
        ...(kpi ? { key: kpi.key } : {}),
      }),
    enabled: asked !== '',
    placeholderData: (before) => before,
  })
  // What is wrong with the formula is said while it is written, but not in the middle of a word.
  const wrong =
    asked === formula.trim() && preview.error instanceof ApiError
      ? (preview.error.fields.formula?.[0] ?? null)
      : null
  const said =
    errors.formula?.message ?? (wrong ? named(wrong, 'formula', text.fields.formula) : undefined)
  useEffect(() => {
    if (!kpi && !ownKey) setValue('key', keyOf(name))
  }, [kpi, name, ownKey, setValue])

  const save = handleSubmit(async (form) => {
    const { key, ...rest } = form
    try {
      await (kpi
        ? api.patch(`kpis/calculated/${kpi.id}`, rest)
        : api.post('kpis/calculated', { ...rest, key }))
    } catch (error) {
      place(error, setError, text.fields)
      return
    }
    await reload('calculated', 'kpis', 'summary', 'history')
    await navigate('/kpis/calculated')
  })
  return (
    <Page
      title={kpi?.name ?? calculated.newTitle}
      back={{ to: '/kpis/calculated', name: calculated.back }}
    >
      <div className="mt-6 grid gap-x-12 gap-y-8 lg:grid-cols-[24rem_minmax(0,1fr)]">
        <form noValidate className="space-y-4" onSubmit={(event) => void save(event)}>
          <Labelled label={text.name} error={errors.name?.message}>
            {(props) => (
              <input
                {...props}
                maxLength={60}
                autoComplete="off"
                {...register('name', {
                  validate: (value) => value.trim() !== '' || text.nameMissing,
                })}
              />
            )}
          </Labelled>
          <FormulaField
            value={formula}
            kpis={catalogue.filter((one) => one.key !== kpi?.key)}
            error={said}
            onChange={(next) => {
              setValue('formula', next)
              clearErrors('formula')
            }}
          />
          <input
            type="hidden"
            {...register('formula', {
              validate: (value) => value.trim() !== '' || text.formulaMissing,
            })}
          />
          <div className="grid gap-4 sm:grid-cols-2">
            <UnitSelect field={register('unit')} error={errors.unit?.message} />
            <DirectionSelect field={register('direction')} error={errors.direction?.message} />
          </div>
          <Labelled label={text.description} error={errors.description?.message}>
            {(props) => (
              <input {...props} maxLength={300} autoComplete="off" {...register('description')} />
            )}
          </Labelled>
          {!kpi && (
            <Labelled label={text.key} hint={text.keyHint} error={errors.key?.message}>
              {(props) => (
                <input
                  {...props}
                  className={`${props.className} font-mono`}
                  maxLength={60}
                  autoComplete="off"
                  autoCapitalize="none"
                  spellCheck={false}
                  {...register('key', {
                    pattern: { value: /^calc\.[a-z0-9](_?[a-z0-9])*$/, message: text.keyWrong },
                    onChange: () => {
                      setOwnKey(true)
                    },
                  })}
                />
              )}
            </Labelled>
          )}
          <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.saving}>
            {text.save}
          </Submit>
        </form>
        <Preview
          of={asked === '' ? undefined : preview.data}
          unit={unit}
          old={wrong !== null}
          failed={preview.error && wrong === null ? sentenceOf(preview.error) : null}
        />
      </div>
    </Page>
  )
}

function Preview({
  of,
  unit,
  old,
  failed,
}: {
  of: CalculatedPreview | undefined
  unit: Form['unit']
  old: boolean
  failed: string | null
}) {
  const { tenant } = useIdentity()
  const data = useDeferredValue(of)
  const chart = useMemo(() => {
    const series: ChartSeries[] = [
      {
        name: calculated.preview.name,
        values: data?.points.map((point) => point.value) ?? [],
        tone: 'accent',
        kind: 'line',
      },
    ]
    return {
      dates: data?.points.map((point) => point.date) ?? [],
      status:
        data?.points.map((point) =>
          point.status === 'not_measurable' ? ('missing' as const) : point.status,
        ) ?? [],
      series,
    }
  }, [data])
  const style = { unit, currency: data?.currency ?? tenant.currency }
  return (
    <section
      aria-labelledby="preview"
      className="h-fit min-w-0 rounded bg-surface p-4 shadow-surface sm:p-6"
    >
      <h2 id="preview" className="text-lead font-semibold">
        {calculated.preview.title}
      </h2>
      {failed && (
        <p role="alert" className="mt-2 text-small text-trouble">
          {failed}
        </p>
      )}
      {data ? (
        <div className={old ? 'opacity-60' : ''}>
          {old && <p className="text-small text-muted">{calculated.preview.old}</p>}
          <p className="mt-1 flex flex-wrap items-baseline gap-x-3">
            <span className="text-huge font-semibold tracking-[-0.02em]">
              <Value
                value={data.value}
                {...style}
                status={data.status}
                reason={data.statusReason}
                alone
              />
            </span>
            <span className="num text-small text-muted">
              {calculated.preview.of(dayRange(data.from, data.to))}
            </span>
          </p>
          <p className="text-small text-muted">
            {data.value === null
              ? (data.statusReason ?? messages.notMeasurableWhy)
              : calculated.preview.aggregation[data.aggregation]}
          </p>
          <div className="mt-4">
            <Chart
              name={calculated.preview.name}
              dates={chart.dates}
              status={chart.status}
              series={chart.series}
              {...style}
              fromZero={unit !== 'ratio'}
            />
          </div>
        </div>
      ) : (
        <p className="mt-2 min-h-72 text-small text-muted">{calculated.preview.empty}</p>
      )}
    </section>
  )
}
