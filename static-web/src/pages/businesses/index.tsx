import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { useDraft } from '../../components/form/useDraft'
import { adopt, api, ApiError } from '../../api/client'
import type { Session, TenantEntry, Tenants } from '../../api/types'
import { Dialog } from '../../components/Dialog'
import { primaryButton } from '../../components/buttons'
import { ChangeText } from '../../components/ChangeText'
import { describeChange } from '../../lib/change'
import { fullDay } from '../../lib/dayNames'
import { formatNumber } from '../../lib/format'
import { useIdentity, useSession } from '../../lib/session'
import { messages } from '../../messages'
import { settings } from '../../messages-settings'
import { Confirmations, useConfirmation } from '../../components/confirmations'
import { Combo } from '../settings/Combo'
import { currencyChoices, timeZoneChoices } from '../settings/regions'
import {
  Failed,
  inputClass,
  Labelled,
  LoadFailed,
  Rows,
  sentenceOf,
  small,
  State,
} from '../../components/ui'
import { ago, date } from '../settings/words'

const text = settings.businesses
const tones = { ok: 'good', attention: 'attention', trouble: 'trouble', empty: 'plain' } as const
/** Who needs somebody first stands first. */
const rank = { trouble: 0, attention: 1, ok: 2, empty: 3 } as const

/** Every business of a person, what needs attention first. */
export default function Businesses() {
  const { tenants } = useIdentity()
  const [params, setParams] = useSearchParams()
  const [find, setFind] = useState('')
  const [filter, setFilter] = useState<keyof typeof text.filters>('all')
  const [sort, setSort] = useState<Sort>('trouble')
  const query = useQuery({
    queryKey: ['tenants'],
    queryFn: ({ signal }) => api.get<Tenants>('tenants', { signal }),
  })
  useEffect(() => {
    document.title = `${text.title} · ${messages.productShort}`
  }, [])
  const all = query.data?.tenants ?? []
  const wanted = find.trim().toLowerCase()
  const found = sorted(
    all.filter(
      (one) =>
        one.name.toLowerCase().includes(wanted) &&
        (filter === 'all' || (one.health === 'ok') === (filter === 'well')),
    ),
    sort,
  )
  const count = (health: TenantEntry['health']) => all.filter((one) => one.health === health).length
  const [trouble, attention] = [count('trouble'), count('attention')]
  return (
    <div className="mx-auto max-w-[78rem] px-4 pt-4 pb-24 sm:px-8 lg:pt-8">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 max-w-prose">
          <h1 className="text-big font-semibold tracking-[-0.01em]">{text.title}</h1>
          <p className="mt-1 text-muted">
            {text.lead(query.data ? all.length : tenants.length)}{' '}
            {query.data &&
              all.length > 0 &&
              (trouble + attention > 0
                ? text.worst(trouble, attention)
                : count('ok') > 0
                  ? text.allWell
                  : null)}
          </p>
        </div>
        <button
          type="button"
          className={`${primaryButton} max-sm:w-full`}
          onClick={() => {
            setParams({ new: '' }, { replace: true })
          }}
        >
          <Plus aria-hidden="true" size={18} />
          {text.create}
        </button>
      </div>
      {all.length > 2 && (
        <div className="mt-6 flex flex-wrap items-end gap-x-6 gap-y-3">
          <label className="block min-w-0 grow sm:max-w-80">
            <span className="mb-1 block text-small text-muted">{text.find}</span>
            <input
              type="search"
              data-shortcut="find"
              value={find}
              className={`${inputClass} border-line-strong`}
              onChange={(event) => {
                setFind(event.target.value)
              }}
            />
          </label>
          <div role="group" aria-label={text.show} className="flex rounded bg-sunken text-small">
            {(Object.keys(text.filters) as (keyof typeof text.filters)[]).map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={one === filter}
                className={`tap rounded px-3 ${one === filter ? 'border border-line bg-surface font-semibold' : 'text-muted hover:text-ink'}`}
                onClick={() => {
                  setFilter(one)
                }}
              >
                {text.filters[one]}
              </button>
            ))}
          </div>
          <label className="block">
            <span className="mb-1 block text-small text-muted">{text.sort}</span>
            <select
              value={sort}
              className={`${inputClass} border-line-strong`}
              onChange={(event) => {
                setSort(event.target.value as Sort)
              }}
            >
              {(Object.keys(text.sorts) as Sort[]).map((one) => (
                <option key={one} value={one}>
                  {text.sorts[one]}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
      <div className="mt-6">
        {query.data ? (
          all.length === 0 ? (
            <p className="py-6 text-muted">{text.empty}</p>
          ) : found.length === 0 ? (
            <p role="status" className="py-6 text-muted">
              {wanted === '' ? text.none : text.noneFound(find.trim())}
            </p>
          ) : (
            <List tenants={found} />
          )
        ) : query.isError ? (
          <LoadFailed error={query.error} retry={query.refetch} />
        ) : (
          <Rows count={Math.max(3, tenants.length)} />
        )}
      </div>
      <NewBusiness
        open={params.has('new')}
        onClose={() => {
          setParams({}, { replace: true })
        }}
      />
    </div>
  )
}

type Sort = keyof typeof text.sorts

/** In an order; what is not known stands last, and equals keep what needs somebody first. */
function sorted(tenants: TenantEntry[], sort: Sort): TenantEntry[] {
  const largest = (value: (one: TenantEntry) => number | null | undefined) =>
    tenants.sort((a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity) || 0)
  switch (sort) {
    case 'trouble':
      // The server has put whose sources are in trouble first; among equals the lowest health needs somebody first.
      return tenants.sort(
        (a, b) =>
          rank[a.health] - rank[b.health] ||
          (a.score?.value ?? Infinity) - (b.score?.value ?? Infinity) ||
          0,
      )
    case 'name':
      return tenants.sort((a, b) => a.name.localeCompare(b.name))
    case 'revenue':
      return largest((one) => one.numbers?.revenue)
    case 'change':
      return tenants.sort(
        (a, b) =>
          (a.numbers?.revenueChange ?? Infinity) - (b.numbers?.revenueChange ?? Infinity) || 0,
      )
    case 'saved':
      return largest((one) => one.numbers?.minutesSaved)
    case 'score':
      return tenants.sort(
        (a, b) => (a.score?.value ?? Infinity) - (b.score?.value ?? Infinity) || 0,
      )
    case 'fresh':
      return tenants.sort((a, b) =>
        (a.completeThrough ?? '9').localeCompare(b.completeThrough ?? '9'),
      )
  }
}

const savedWords = ({ numbers }: TenantEntry) =>
  numbers === null || numbers.minutesSaved === null
    ? null
    : formatNumber(numbers.minutesSaved, { unit: 'minutes' })

function Revenue({ one, long = false }: { one: TenantEntry; long?: boolean }) {
  const numbers = one.numbers
  if (!numbers || numbers.revenue === null)
    return (
      <>
        <span aria-hidden="true">–</span>
        <span className="sr-only">{text.noNumber}</span>
      </>
    )
  const value = formatNumber(numbers.revenue, { unit: 'currency', currency: numbers.currency })
  const change = describeChange(
    {
      key: 'shop.revenue',
      unit: 'currency',
      direction: 'up',
      value: numbers.revenue,
      previous: null,
      change: numbers.revenueChange,
      alike: numbers.revenueAlike,
      byChance: numbers.revenueByChance,
    },
    text.before,
    'previous_period',
  )
  return (
    <span className={long ? 'inline-flex items-baseline gap-2' : ''}>
      <span className={long ? '' : 'block'}>{long ? text.revenueWords(value) : value}</span>
      {change !== null && change.sign !== null && (
        <span className="text-small">
          <ChangeText change={change} />
        </span>
      )}
    </span>
  )
}

/** The health of a business as its overview tells it, and as of when where the business changed since. */
function Score({ one, long = false }: { one: TenantEntry; long?: boolean }) {
  const { tenant } = useIdentity()
  const score = one.score
  if (!score || score.value === null)
    return long ? null : (
      <>
        <span aria-hidden="true">–</span>
        <span className="sr-only">{text.noNumber}</span>
      </>
    )
  // Nobody knows whether it is good while days of its sources are missing.
  const words = text.score(score.value, one.missingSince ? null : score.word)
  return (
    <>
      <span className={long ? '' : 'block whitespace-nowrap'}>
        {long ? text.scoreWords(words) : words}
      </span>
      {score.at && (
        <span className="block text-small text-muted">
          {text.scoredAt(ago(score.at, tenant.timeZone, new Date()))}
        </span>
      )}
    </>
  )
}

function useOpen() {
  const { tenant } = useIdentity()
  const { switchTenant } = useSession()
  const navigate = useNavigate()
  const [busy, setBusy] = useState<string | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  const open = async (id: string) => {
    setBusy(id)
    setFailed(null)
    try {
      if (id !== tenant.id) await switchTenant(id)
      await navigate('/')
    } catch (error) {
      setFailed(error)
      setBusy(null)
    }
  }
  return { open, busy, failed }
}

function List({ tenants }: { tenants: readonly TenantEntry[] }) {
  const { open, busy, failed } = useOpen()
  const openButton = (one: TenantEntry) => (
    <button
      type="button"
      aria-label={text.openOne(one.name)}
      disabled={busy !== null}
      className={`${small} border border-line bg-surface hover:border-line-strong`}
      onClick={() => void open(one.id)}
    >
      {busy === one.id ? text.opening : text.open}
    </button>
  )
  return (
    <>
      <Failed error={failed} />
      <table className="w-full max-md:hidden">
        <thead className="text-left text-small text-muted">
          <tr>
            {(['business', 'score', 'health', 'revenue', 'saved', 'fresh', 'role'] as const).map(
              (column) => (
                <th
                  key={column}
                  scope="col"
                  className={`pb-2 font-normal ${column === 'business' ? '' : 'pl-6'} ${column === 'revenue' || column === 'saved' ? 'text-right' : ''} ${column === 'role' ? 'max-xl:hidden' : ''}`}
                >
                  {text.columns[column]}
                </th>
              ),
            )}
            <th scope="col" className="w-24 pb-2 font-normal">
              <span className="sr-only">{text.columns.open}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tenants.map((one) => (
            <tr key={one.id} className="border-t border-line hover:bg-sunken/60">
              <th scope="row" className="max-w-80 py-3 text-left align-top font-normal">
                <Name one={one} />
              </th>
              <td className="num py-3 pl-6 align-top">
                <Score one={one} />
              </td>
              <td className="max-w-96 py-3 pl-6 align-top">
                <Health one={one} />
              </td>
              <td className="num py-3 pl-6 text-right align-top">
                <Revenue one={one} />
              </td>
              <td className="num py-3 pl-6 text-right align-top">{savedWords(one) ?? '–'}</td>
              <td className="num py-3 pl-6 align-top text-small text-muted">
                <Fresh one={one} />
              </td>
              <td className="py-3 pl-6 align-top max-xl:hidden">{roleWords(one.role)}</td>
              <td className="py-2 text-right align-top">{openButton(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="md:hidden">
        {tenants.map((one) => (
          <li key={one.id} className="border-t border-line py-3">
            <div className="flex items-start gap-3">
              <div className="min-w-0 flex-1">
                <Name one={one} />
              </div>
              {openButton(one)}
            </div>
            <div className="mt-1">
              <Health one={one} />
            </div>
            {one.score?.value != null && (
              <p className="num mt-1 text-small">
                <Score one={one} long />
              </p>
            )}
            {one.numbers && (one.numbers.revenue !== null || one.numbers.minutesSaved !== null) && (
              <p className="num mt-1 flex flex-wrap gap-x-4 text-small">
                {one.numbers.revenue !== null && <Revenue one={one} long />}
                {savedWords(one) && <span>{text.savedWords(savedWords(one) ?? '')}</span>}
              </p>
            )}
            <p className="num mt-1 text-small text-muted">
              {roleWords(one.role)} · <Fresh one={one} />
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}

const roleWords = (role: string) => (messages.tenant.role as Record<string, string>)[role] ?? role

function Name({ one }: { one: TenantEntry }) {
  const { tenant } = useIdentity()
  const notes = [
    one.id === tenant.id ? text.here : null,
    one.isDemo ? text.demo : null,
    one.integrations > 0 ? text.sources(one.integrations) : null,
  ].filter(Boolean)
  return (
    <>
      <span className="block truncate font-semibold">{one.name}</span>
      {notes.length > 0 && <span className="block text-small text-muted">{notes.join(' · ')}</span>}
      {one.deleteAfter && (
        <span className="block text-small font-semibold text-trouble">
          {text.deleting(date(one.deleteAfter, tenant.timeZone))}
        </span>
      )}
    </>
  )
}

function Health({ one }: { one: TenantEntry }) {
  return (
    <>
      <State tone={tones[one.health]}>
        <span className={one.health === 'trouble' ? 'font-semibold text-trouble' : ''}>
          {text.health[one.health]}
        </span>
      </State>
      {one.message && <span className="block text-small text-muted">{one.message}</span>}
    </>
  )
}

function Fresh({ one }: { one: TenantEntry }) {
  const { tenant } = useIdentity()
  if (!one.fetchedAt) return <>{text.never}</>
  const through = one.missingSince
    ? text.missing(fullDay(one.missingSince))
    : one.completeThrough && text.through(fullDay(one.completeThrough))
  return (
    <>
      <span className="whitespace-nowrap">
        {text.fetched(ago(one.fetchedAt, tenant.timeZone, new Date()))}
      </span>
      {through && (
        <>
          <span className="md:hidden"> · </span>
          <span className="md:block">{through}</span>
        </>
      )}
    </>
  )
}

function NewBusiness({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={text.newTitle} open={open} onClose={onClose}>
      {open && (
        <Confirmations>
          <NewForm />
        </Confirmations>
      )}
    </Dialog>
  )
}

function NewForm() {
  const confirmed = useConfirmation()
  const { tenant } = useIdentity()
  const navigate = useNavigate()
  const [timeZone, setTimeZone] = useState(
    () => Intl.DateTimeFormat().resolvedOptions().timeZone || tenant.timeZone,
  )
  const [currency, setCurrency] = useState(tenant.currency)
  const {
    register,
    handleSubmit,
    setError,
    setFocus,
    formState: { errors, isSubmitting },
  } = useDraft('business:new', { defaultValues: { businessName: '', timeZone: '', currency: '' } })
  // Whoever opens the dialog came to type the name.
  useEffect(() => {
    setFocus('businessName')
  }, [setFocus])
  const submit = handleSubmit(async ({ businessName }) => {
    try {
      const session = await confirmed(() =>
        api.post<Session>('tenants', { businessName: businessName.trim(), timeZone, currency }),
      )
      adopt(session)
      await navigate('/welcome')
    } catch (error) {
      const said = error instanceof ApiError ? error.fields : {}
      const fields = ['businessName', 'timeZone', 'currency'] as const
      for (const field of fields) if (said[field]?.[0]) setError(field, { message: said[field][0] })
      if (!fields.some((field) => said[field])) setError('root', { message: sentenceOf(error) })
    }
  })
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="space-y-5">
      <p className="text-muted">{text.newText}</p>
      <Labelled label={text.newName} error={errors.businessName?.message}>
        {(props) => (
          <input
            {...props}
            autoComplete="organization"
            maxLength={200}
            {...register('businessName', {
              validate: (name) => name.trim() !== '' || text.newNameMissing,
            })}
          />
        )}
      </Labelled>
      <Labelled label={text.timeZone} error={errors.timeZone?.message}>
        {(props) => (
          <Combo
            {...props}
            value={timeZone}
            choices={timeZoneChoices(timeZone, new Date())}
            onChange={setTimeZone}
          />
        )}
      </Labelled>
      <Labelled label={text.currency} error={errors.currency?.message}>
        {(props) => (
          <Combo
            {...props}
            value={currency}
            choices={currencyChoices(currency)}
            onChange={setCurrency}
          />
        )}
      </Labelled>
      <Failed error={errors.root?.message} />
      <button type="submit" disabled={isSubmitting} className={`${primaryButton} w-full`}>
        {isSubmitting ? text.making : text.make}
      </button>
    </form>
  )
}
