import { useEffect, useId, useMemo, useState, type ReactNode } from 'react'
import { Link } from 'react-router'
import type { CatalogueKpi } from '../../api/types'
import { NoteMark } from '../../components/chart/NoteList'
import { ShortcutList } from '../../components/ShortcutList'
import { inputClass, LoadFailed, Rows } from '../../components/ui'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { help as text } from '../../messages-help'
import { metric } from '../../messages-metric'
import { useOfTenant } from '../settings/queries'

const { kpis: words } = text

export default function Help() {
  const { tenant } = useIdentity()
  useEffect(() => {
    document.title = `${tenant.name} · ${text.title} · ${messages.productShort}`
  }, [tenant.name])
  return (
    <div className="mx-auto max-w-[72rem] px-4 pt-4 pb-16 sm:px-8 lg:pt-8">
      <h1 className="text-big font-semibold tracking-[-0.01em]">{text.title}</h1>
      <p className="mt-1 text-muted">{text.lead}</p>
      <div className="mt-2 grid gap-x-16 lg:grid-cols-2">
        <div>
          <Part title={text.clocks.title}>
            <p className="text-muted">{text.clocks.lead}</p>
            <List of={text.clocks.list} />
          </Part>
          <Part title={text.states.title}>
            <List
              of={text.states.list.map((one) => ({
                name: messages.status[one.key as keyof typeof messages.status],
                text: one.text,
              }))}
            />
          </Part>
        </div>
        <div>
          <Part title={text.changes.title}>
            <ul className="space-y-2">
              {text.changes.list.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </Part>
          <Part title={text.breakdowns.title}>
            <ul className="space-y-2">
              {text.breakdowns.list.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </Part>
          <Part title={text.marks.title}>
            <ul className="space-y-2">
              {(['note', 'system', 'unusual'] as const).map((kind) => (
                <li key={kind} className="flex gap-3">
                  <span className="flex h-6 items-center">
                    <NoteMark kind={kind} />
                  </span>
                  {text.marks[kind]}
                </li>
              ))}
            </ul>
          </Part>
          <Part title={text.shortcuts}>
            <ShortcutList />
          </Part>
        </div>
      </div>
      <Catalogue />
    </div>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <section aria-labelledby={id} className="mt-8">
      <h2 id={id} className="mb-2 text-lead font-semibold">
        {title}
      </h2>
      {children}
    </section>
  )
}

function List({ of }: { of: readonly { name: string; text: string }[] }) {
  return (
    <dl className="mt-2">
      {of.map((one) => (
        <div key={one.name} className="border-t border-line py-2.5 first:border-t-0">
          <dt className="font-semibold">{one.name}</dt>
          <dd className="text-muted">{one.text}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What each number means, by where it comes from. */
function Catalogue() {
  const catalogue = useOfTenant<CatalogueKpi[]>('kpis', 'kpis')
  const [find, setFind] = useState('')
  const typed = find.trim().toLocaleLowerCase()
  const groups = useMemo(() => {
    const found = (catalogue.data ?? []).filter((kpi) =>
      `${kpi.name} ${kpi.description} ${kpi.key}`.toLocaleLowerCase().includes(typed),
    )
    return [...new Set(found.map((kpi) => kpi.source))].map((source) => ({
      source,
      kpis: found.filter((kpi) => kpi.source === source),
    }))
  }, [catalogue.data, typed])
  return (
    <Part title={words.title}>
      {catalogue.data ? (
        <>
          <input
            type="search"
            aria-label={words.find}
            placeholder={words.find}
            data-shortcut="find"
            value={find}
            onChange={(event) => {
              setFind(event.target.value)
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return
              setFind('')
              event.currentTarget.blur()
            }}
            className={`${inputClass} max-w-80 border-line-strong placeholder:text-muted`}
          />
          {groups.length === 0 && <p className="mt-4 text-muted">{words.none(find.trim())}</p>}
          {groups.map(({ source, kpis }) => (
            <section key={source} aria-label={words.sources[source] ?? source} className="mt-6">
              <h3 className="font-semibold">{words.sources[source] ?? source}</h3>
              <dl className="mt-1">
                {kpis.map((kpi) => (
                  <div
                    key={kpi.key}
                    className="grid gap-x-8 border-t border-line py-2.5 sm:grid-cols-[14rem_minmax(0,1fr)]"
                  >
                    <dt>
                      <Link
                        to={`/metrics/${kpi.key}`}
                        className="inline-flex items-center font-semibold max-lg:tap hover:text-accent"
                      >
                        {kpi.name}
                      </Link>
                      <code className="block text-small text-muted [overflow-wrap:anywhere]">
                        {kpi.key}
                      </code>
                    </dt>
                    <dd className="text-small">
                      {kpi.description}
                      <span className="block text-muted">
                        {kpi.formula ? `${words.formula} ${kpi.formula}. ` : ''}
                        {metric.provenance.aggregation[kpi.aggregation]}
                      </span>
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </>
      ) : catalogue.error ? (
        <LoadFailed error={catalogue.error} retry={catalogue.refetch} />
      ) : (
        <Rows count={8} />
      )}
    </Part>
  )
}
