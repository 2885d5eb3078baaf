import { useQueryClient } from '@tanstack/react-query'
import { Monitor } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link, useLocation, useNavigate } from 'react-router'
import { api, ApiError } from '../../api/client'
import type { Dashboard, DashboardEntry, DashboardTemplate } from '../../api/types'
import { ErrorNotice, quietButton } from '../../components/Notice'
import { SavedAt } from '../../components/SavedAt'
import { Skeleton } from '../../components/Skeleton'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { useDashboards } from './queries'

/** The dashboards that one may see, and what one can begin with. */
export function List() {
  const { tenant } = useIdentity()
  const may = useMay('keep_dashboards')
  const list = useDashboards(tenant.id)
  const { search } = useLocation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [making, setMaking] = useState<string | null>(null)
  const [failed, setFailed] = useState<string | null>(null)

  useEffect(() => {
    document.title = `${tenant.name} · ${boards.title} · ${messages.productShort}`
  }, [tenant.name])

  const make = async (name: string, template: string | null) => {
    setMaking(template ?? '')
    setFailed(null)
    try {
      const made = await api.post<Dashboard>(
        'dashboards',
        template === null ? { name, tiles: [] } : { name, template },
      )
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      await navigate(
        { pathname: `/dashboards/${made.id}`, search },
        { state: { edit: template === null } },
      )
    } catch (error) {
      setFailed(error instanceof ApiError ? error.message : messages.errors.crash)
      setMaking(null)
    }
  }

  const data = list.data
  const mine = data?.dashboards.filter((one) => !one.shared) ?? []
  const shared = data?.dashboards.filter((one) => one.shared) ?? []

  return (
    <div className="mx-auto max-w-[78rem] px-4 pt-5 pb-16 sm:px-8 lg:pt-8">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="max-w-prose min-w-0">
          <h1 className="text-big font-semibold tracking-[-0.01em]">{boards.title}</h1>
          <p className="mt-1 text-muted">{boards.lead}</p>
        </div>
        {data && data.dashboards.length > 0 && (
          <Link to="/tv" className={quietButton}>
            <Monitor aria-hidden="true" size={18} />
            {boards.tv}
          </Link>
        )}
      </div>

      {failed && (
        <p role="alert" className="mt-4 rounded bg-sunken px-3 py-2 text-small">
          {failed}
        </p>
      )}

      {data ? (
        <>
          <Group title={boards.mine} items={mine} search={search} />
          <Group title={boards.shared} items={shared} search={search} />
          {may && (
            <section aria-labelledby="templates" className="mt-10">
              <h2 id="templates" className="text-lead font-semibold">
                {data.dashboards.length === 0 ? boards.noneTitle : boards.templates}
              </h2>
              {data.dashboards.length === 0 && (
                <p className="mt-1 max-w-prose text-muted">
                  {data.templates.length > 0 ? boards.none : boards.noTemplates}
                </p>
              )}
              <ul className="mt-3 grid gap-x-10 sm:grid-cols-2 lg:grid-cols-3">
                {data.templates.map((template) => (
                  <Template
                    key={template.key}
                    template={template}
                    busy={making === template.key}
                    disabled={making !== null}
                    make={() => void make(template.name, template.key)}
                  />
                ))}
                <li className="flex flex-col border-t border-line py-4">
                  <h3 className="font-semibold">{boards.blankName}</h3>
                  <p className="mt-0.5 mb-3 flex-1 text-small text-muted">{boards.blankLead}</p>
                  <button
                    type="button"
                    className={`${quietButton} self-start`}
                    disabled={making !== null}
                    onClick={() => void make(boards.blankName, null)}
                  >
                    {boards.blank}
                  </button>
                </li>
              </ul>
            </section>
          )}
        </>
      ) : list.isError ? (
        <ErrorNotice error={list.error} retry={() => void list.refetch()} />
      ) : (
        <div aria-busy="true">
          <span className="sr-only">{boards.loading}</span>
          <Skeleton className="mt-8 h-6 w-40" />
          {Array.from({ length: 3 }, (_, i) => (
            <Skeleton key={i} className="mt-4 h-9 w-full" />
          ))}
        </div>
      )}
      <SavedAt query={list} timeZone={tenant.timeZone} />
    </div>
  )
}

function Group({
  title,
  items,
  search,
}: {
  title: string
  items: readonly DashboardEntry[]
  search: string
}) {
  if (items.length === 0) return null
  return (
    <section aria-label={title} className="mt-8">
      <h2 className="text-lead font-semibold">{title}</h2>
      <ul className="mt-1">
        {items.map((one) => (
          <li key={one.id} className="border-b border-line">
            <Link
              to={{ pathname: `/dashboards/${one.id}`, search }}
              className="tap flex flex-wrap items-center gap-x-4 py-2.5 hover:text-accent"
            >
              <span className="min-w-0 flex-1 font-semibold [overflow-wrap:anywhere]">
                {one.name}
              </span>
              <span className="text-small text-muted">
                {[boards.tiles(one.tiles), one.shared && !one.isMine ? boards.by(one.owner) : null]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Template({
  template,
  busy,
  disabled,
  make,
}: {
  template: DashboardTemplate
  busy: boolean
  disabled: boolean
  make: () => void
}) {
  return (
    <li className="flex flex-col border-t border-line py-4">
      <h3 className="flex items-baseline justify-between gap-3">
        <span className="font-semibold">{template.name}</span>
        {template.suggested && <span className="text-small text-accent">{boards.suggested}</span>}
      </h3>
      <p className="mt-0.5 text-small text-muted">{template.description}</p>
      <Sketch template={template} />
      <button
        type="button"
        className={`${quietButton} self-start`}
        aria-label={busy ? undefined : boards.beginOf(template.name)}
        disabled={disabled}
        onClick={make}
      >
        {busy ? boards.saving : boards.begin}
      </button>
    </li>
  )
}

/** What a template looks like, in outline. */
function Sketch({ template }: { template: DashboardTemplate }) {
  return (
    <div aria-hidden="true" className="my-3 grid flex-1 content-start grid-cols-12 gap-1">
      {template.tiles.map((tile) => (
        <span
          key={tile.id}
          className={`rounded-sm ${tile.kind === 'chart' ? 'bg-accent-soft' : 'bg-sunken'}`}
          style={{
            gridColumn: `span ${tile.width}`,
            gridRow: `span ${tile.height}`,
            minHeight: `${tile.height * 0.9}rem`,
          }}
        />
      ))}
    </div>
  )
}
