import { useEffect } from 'react'
import { Link, Navigate, Route, Routes, useParams } from 'react-router'
import { api } from '../../api/client'
import type { CalculatedKpi, CalculatedKpis, CatalogueKpi } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { Notice } from '../../components/Notice'
import { LoadFailed, Rows, useQuestion } from '../../components/ui'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { calculated as text } from '../../messages-calculated'
import { useOfTenant, useReload } from '../settings/queries'
import { Editor } from './Editor'

export default function Calculated() {
  const may = useMay('manage_numbers')
  return (
    <div className="mx-auto max-w-[72rem] px-4 pt-2 pb-16 sm:px-8 lg:pt-8">
      <Routes>
        <Route index element={<List />} />
        {may && <Route path="new" element={<Write />} />}
        {may && <Route path=":id" element={<Write />} />}
        <Route path="*" element={<Navigate to="/kpis/calculated" replace />} />
      </Routes>
    </div>
  )
}

const useCalculated = () => useOfTenant<CalculatedKpis>('calculated', 'kpis/calculated')

function List() {
  const { tenant } = useIdentity()
  const may = useMay('manage_numbers')
  const list = useCalculated()
  const reload = useReload()
  const { ask, dialog } = useQuestion()
  useEffect(() => {
    document.title = `${tenant.name} · ${text.title} · ${messages.productShort}`
  }, [tenant.name])
  const kpis = list.data?.kpis
  const add = (
    <Link to="/kpis/calculated/new" className={primaryButton}>
      {text.add}
    </Link>
  )
  return (
    <div className="max-w-[52rem] pt-2">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="max-w-prose">
          <h1 className="text-big font-semibold tracking-[-0.01em]">{text.title}</h1>
          <p className="mt-1 text-muted">{text.lead}</p>
        </div>
        {may && kpis && kpis.length > 0 && add}
      </div>
      <div className="mt-6">
        {kpis ? (
          kpis.length === 0 ? (
            <Notice title={text.emptyTitle} action={may && add}>
              {may ? text.empty : text.readOnly}
            </Notice>
          ) : (
            <ul>
              {kpis.map((kpi) => (
                <Entry
                  key={kpi.id}
                  kpi={kpi}
                  may={may}
                  onRemove={() => {
                    ask({
                      title: text.removeTitle(kpi.name),
                      text: <p>{text.removed}</p>,
                      action: text.remove,
                      danger: true,
                      run: async () => {
                        await api.delete(`kpis/calculated/${kpi.id}`)
                        await reload('calculated', 'kpis', 'summary', 'history')
                      },
                    })
                  }}
                />
              ))}
            </ul>
          )
        ) : list.error ? (
          <LoadFailed error={list.error} retry={list.refetch} />
        ) : (
          <Rows count={3} />
        )}
      </div>
      {dialog}
    </div>
  )
}

function Entry({ kpi, may, onRemove }: { kpi: CalculatedKpi; may: boolean; onRemove: () => void }) {
  return (
    <li className="flex flex-wrap items-start justify-between gap-x-6 border-t border-line py-4">
      <div className="min-w-0">
        <h2 className="font-semibold">
          <Link
            to={`/metrics/${kpi.key}`}
            className="inline-flex items-center max-lg:tap hover:text-accent"
          >
            {kpi.name}
          </Link>
        </h2>
        {kpi.description && <p className="text-small text-muted">{kpi.description}</p>}
        <p className="mt-1 text-small [overflow-wrap:anywhere]">
          <code>{kpi.formula}</code>
        </p>
        {kpi.problem && <p className="mt-1 text-small text-trouble">{kpi.problem}</p>}
      </div>
      {may && (
        <div className="-mr-3 flex">
          <Link
            to={`/kpis/calculated/${kpi.id}`}
            aria-label={text.editOf(kpi.name)}
            className="tap inline-flex items-center px-3 text-small text-accent hover:underline"
          >
            {text.edit}
          </Link>
          <button
            type="button"
            aria-label={text.removeOf(kpi.name)}
            className="tap px-3 text-small text-muted hover:text-trouble"
            onClick={onRemove}
          >
            {text.remove}
          </button>
        </div>
      )}
    </li>
  )
}

/** A new one, or one to change. */
function Write() {
  const { id } = useParams()
  const list = useCalculated()
  const catalogue = useOfTenant<CatalogueKpi[]>('kpis', 'kpis')
  if (!list.data || !catalogue.data) {
    const failed = [list, catalogue].find((one) => one.error)
    return failed ? (
      <>
        <h1 className="sr-only">{text.title}</h1>
        <LoadFailed error={failed.error} retry={failed.refetch} />
      </>
    ) : (
      <Rows count={5} />
    )
  }
  const kpi = list.data.kpis.find((one) => one.id === id) ?? null
  if (id !== undefined && kpi === null) return <Navigate to="/kpis/calculated" replace />
  return <Editor key={id ?? 'new'} kpi={kpi} catalogue={catalogue.data} />
}
