import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Link } from 'react-router'
import { api, ApiError, query } from '../../api/client'
import type { Import as ImportEntry } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { useUnsaved } from '../../components/form/useKept'
import { quietButton } from '../../components/Notice'
import {
  Failed,
  Labelled,
  LoadFailed,
  Page,
  Rows,
  saveFile,
  Section,
  Select,
  State,
} from '../../components/ui'
import { clock, dayName } from '../../lib/dates'
import { formatApart } from '../../lib/formatApart'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { fileSize } from '../settings/words'
import {
  useCatalogue,
  useChanged,
  useCustomKpis,
  useImport,
  useImports,
  useMayChange,
} from './queries'
import { DefineHere } from './DefineHere'
import { ReadOnly } from './Sources'

const text = words.import
const largest = 10 * 1024 * 1024

interface Options {
  delimiter: 'auto' | 'comma' | 'semicolon' | 'tab'
  decimal: 'auto' | 'point' | 'comma'
  dates: 'auto' | 'dmy' | 'mdy'
}
const asFound: Options = { delimiter: 'auto', decimal: 'auto', dates: 'auto' }

/** A file with numbers: looked at, corrected, written; and what was imported before. */
export default function Import() {
  const { tenant } = useIdentity()
  const push = useMayChange('push')
  const changed = useChanged()
  const kpis = useCustomKpis()
  const [file, setFile] = useState<File | null>(null)
  const [options, setOptions] = useState(asFound)
  const [preview, setPreview] = useState<ImportEntry | null>(null)
  const [busy, setBusy] = useState<'preview' | 'commit' | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  const [running, setRunning] = useState<string | null>(null)

  // A browser hands a file out once and not again after a reload.
  useUnsaved(file !== null && preview !== null, () => {
    setFile(null)
    setPreview(null)
  })

  const look = async (next: File, how: Options) => {
    setFile(next)
    setOptions(how)
    setFailed(null)
    setRunning(null)
    if (how === asFound) setPreview(null)
    if (next.size > largest) {
      setFailed(text.tooLarge)
      return
    }
    setBusy('preview')
    try {
      setPreview(await api.post<ImportEntry>(address('preview', next, how), next))
    } catch (error) {
      setPreview(null)
      setFailed(error)
    } finally {
      setBusy(null)
    }
  }
  const commit = async () => {
    if (!file || busy) return
    setBusy('commit')
    setFailed(null)
    try {
      const begun = await api.post<ImportEntry>(address('commit', file, options), file)
      setRunning(begun.id)
      setPreview(null)
      await changed('imports')
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(null)
    }
  }
  const again = () => {
    setFile(null)
    setPreview(null)
    setRunning(null)
    setFailed(null)
    setOptions(asFound)
    void changed('imports', 'custom-kpis', 'catalogue')
  }
  const none = kpis.data?.kpis.length === 0

  return (
    <Page title={text.title} lead={text.lead} back={null}>
      {!push ? (
        <ReadOnly />
      ) : (
        <>
          {none && (
            <p className="mt-4 rounded bg-sunken px-4 py-3 text-small">
              {text.needKpis}{' '}
              <Link
                to="/integrations/kpis"
                className="tap -my-3 inline-flex items-center font-semibold text-accent-strong"
              >
                {text.define}
              </Link>
            </p>
          )}
          {running ? (
            <Running id={running} file={file?.name ?? ''} onAgain={again} />
          ) : (
            <>
              <Drop
                file={file}
                busy={busy === 'preview'}
                onFile={(next) => void look(next, asFound)}
                onExample={() => {
                  saveFile(
                    new Blob([exampleOf(kpis.data?.kpis.map(({ key }) => key) ?? [])], {
                      type: 'text/csv',
                    }),
                    'example.csv',
                  )
                }}
              />
              <Failed
                error={
                  failed instanceof ApiError && Object.keys(failed.fields).length > 0
                    ? Object.values(failed.fields).flat().join(' ')
                    : failed
                }
              />
              {file && preview && (
                <Preview
                  preview={preview}
                  options={options}
                  busy={busy}
                  onOptions={(how) => void look(file, how)}
                  onCommit={() => void commit()}
                  onDefined={() => {
                    void changed('custom-kpis', 'catalogue')
                    void look(file, options)
                  }}
                  currency={tenant.currency}
                />
              )}
            </>
          )}
        </>
      )}
      <Past />
    </Page>
  )
}

const address = (mode: 'preview' | 'commit', file: File, how: Options) =>
  `import${query({ mode, name: file.name, ...how })}`

/** A file that fits the numbers of this business, or made-up ones where there are none yet. */
function exampleOf(keys: readonly string[]) {
  const shown = keys.length > 0 ? keys.slice(0, 3) : ['custom.orders_shipped']
  const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10)
  return [
    ['date', ...shown].join(','),
    ...[3, 2, 1].map((back) =>
      [day(back), ...shown.map((_, i) => String(10 * (i + 1) + back))].join(','),
    ),
    '',
  ].join('\r\n')
}

function Drop({
  file,
  busy,
  onFile,
  onExample,
}: {
  file: File | null
  busy: boolean
  onFile: (file: File) => void
  onExample: () => void
}) {
  const [over, setOver] = useState(false)
  const take = useRef(onFile)
  useEffect(() => {
    take.current = onFile
  })
  // Wherever on the page it is dropped, a file is not opened by the browser in its place.
  useEffect(() => {
    const stop = new AbortController()
    const { signal } = stop
    const onOver = (event: DragEvent) => {
      event.preventDefault()
      setOver(true)
    }
    const onDrop = (event: DragEvent) => {
      event.preventDefault()
      setOver(false)
      const dropped = event.dataTransfer?.files[0]
      if (dropped) take.current(dropped)
    }
    addEventListener('dragover', onOver, { signal })
    addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) setOver(false)
      },
      { signal },
    )
    addEventListener('drop', onDrop, { signal })
    return () => {
      stop.abort()
    }
  }, [])
  return (
    <div
      className={`mt-5 rounded border border-dashed px-4 py-6 text-center ${over ? 'border-accent bg-accent-soft' : 'border-line-strong'}`}
    >
      {file ? (
        <p role="status">
          <span className="font-semibold wrap-anywhere">{file.name}</span>{' '}
          <span className="text-muted">{busy ? text.reading : fileSize(file.size)}</span>
        </p>
      ) : (
        <p className="max-sm:sr-only">{text.drop}</p>
      )}
      <label
        className={`${quietButton} mt-3 cursor-pointer focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent`}
      >
        {file ? text.other : text.chooseFile}
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv,text/plain,text/tab-separated-values"
          className="sr-only"
          onChange={(event) => {
            const next = event.target.files?.[0]
            // The same file, corrected, can be chosen again.
            event.target.value = ''
            if (next) onFile(next)
          }}
        />
      </label>
      <p className="mt-3 text-small text-muted">
        {text.limit}{' '}
        <button type="button" className="tap font-semibold text-accent-strong" onClick={onExample}>
          {text.example}
        </button>
      </p>
    </div>
  )
}

function Preview({
  preview,
  options,
  busy,
  onOptions,
  onCommit,
  onDefined,
  currency,
}: {
  preview: ImportEntry
  options: Options
  busy: 'preview' | 'commit' | null
  onOptions: (options: Options) => void
  onCommit: () => void
  /** A number that the file names was defined. */
  onDefined: () => void
  currency: string
}) {
  const define = useMayChange('manage_settings')
  const unknown = [
    ...new Set(preview.errors.map((error) => error.unknown).filter((name) => name !== null)),
  ]
  const { format, questions, errors } = preview
  const ready = questions.length === 0 && preview.errorCount === 0 && (preview.readings ?? 0) > 0
  const asked = (option: string) => questions.find((one) => one.option === option)?.sentence
  const choice = <K extends keyof Options>(
    option: K,
    label: string,
    names: Partial<Record<Options[K], string>>,
    found: string | null,
  ) => (
    <Labelled label={label} error={asked(option)}>
      {(props) => (
        <Select
          {...props}
          value={options[option]}
          disabled={busy !== null}
          onChange={(event) => {
            onOptions({ ...options, [option]: event.target.value })
          }}
        >
          <option value="auto">
            {asked(option) ? text.choosePlease : text.found(found ?? '')}
          </option>
          {(Object.entries(names) as [string, string][]).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Labelled>
  )
  return (
    <>
      {format && (
        <Section
          title={questions.length > 0 ? text.questions : text.format}
          lead={text.encoding(format.encoding, format.layout)}
        >
          <div className="grid max-w-[60rem] gap-4 sm:grid-cols-3">
            {choice('delimiter', text.separator, text.delimiter, text.delimiter[format.delimiter])}
            {choice('decimal', text.decimal, text.decimals, text.decimals[format.decimal])}
            {choice(
              'dates',
              text.dates,
              { dmy: text.dateOrders.dmy, mdy: text.dateOrders.mdy },
              text.dateOrders[format.dates],
            )}
          </div>
        </Section>
      )}
      {define &&
        unknown
          .slice(0, 5)
          .map((name) => <DefineHere key={name} unknown={name} onDone={onDefined} />)}
      {preview.errorCount > 0 && (
        <Section
          title={text.errors(preview.errorCount)}
          lead={define && unknown.length > 0 ? text.againOrDefine : text.again}
        >
          <div role="alert">
            <ul className="num max-h-96 overflow-y-auto text-small">
              {errors.map((error, i) => (
                <li key={i} className="flex gap-4 border-t border-line py-2 first:border-t-0">
                  <span className="w-20 shrink-0 font-semibold">{text.line(error.line)}</span>
                  <span className="min-w-0 wrap-anywhere">{error.message}</span>
                </li>
              ))}
              {preview.errorCount > errors.length && (
                <li className="py-2 text-muted">
                  {text.errorsMore(preview.errorCount - errors.length)}
                </li>
              )}
            </ul>
          </div>
        </Section>
      )}
      {preview.preview.length > 0 && (
        <Section title={text.firstRows}>
          <Values preview={preview} currency={currency} />
        </Section>
      )}
      {ready && (
        <button
          type="button"
          disabled={busy !== null}
          className={`${primaryButton} mt-6 max-sm:w-full`}
          onClick={onCommit}
        >
          {busy === 'commit' ? text.committing : text.commit(preview.readings ?? 0)}
        </button>
      )}
    </>
  )
}

function Values({ preview, currency }: { preview: ImportEntry; currency: string }) {
  const catalogue = useCatalogue()
  const kpi = (key: string) => catalogue.data?.find((one) => one.key === key)
  const apart = (key: string, amounts: number[]) => {
    const one = kpi(key)
    return formatApart(
      amounts,
      { unit: one?.unit ?? 'number', currency: one?.currency ?? currency },
      'exact',
    )
  }
  return (
    <div
      role="region"
      aria-label={text.firstRows}
      tabIndex={0}
      className="num max-h-96 max-w-[52rem] overflow-auto"
    >
      <table className="w-full text-left text-small">
        <thead className="sticky top-0 bg-page text-muted">
          <tr>
            <th className="py-2 pr-4 font-normal">{text.columns.date}</th>
            <th className="py-2 pr-4 font-normal">{text.columns.kpi}</th>
            <th className="py-2 pr-4 text-right font-normal">{text.columns.value}</th>
            <th className="py-2 font-normal max-sm:hidden">{text.columns.effect}</th>
          </tr>
        </thead>
        <tbody>
          {preview.preview.map((one) => {
            const [value, stored] = apart(
              one.kpi,
              one.stored === null ? [one.value] : [one.value, one.stored],
            )
            const effect =
              one.effect === 'changed' ? text.effect.changed(stored ?? '') : text.effect[one.effect]
            return (
              <tr key={`${one.line} ${one.kpi}`} className="border-t border-line align-top">
                <td className="py-2 pr-4 whitespace-nowrap">{dayName(one.date)}</td>
                <td className="py-2 pr-4">{kpi(one.kpi)?.name ?? one.kpi}</td>
                <td className="py-2 pr-4 text-right whitespace-nowrap">
                  {value}
                  <span className="block text-muted sm:hidden">{effect}</span>
                </td>
                <td className="py-2 text-muted max-sm:hidden">{effect}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** An import that is being written, and how it ended. */
function Running({ id, file, onAgain }: { id: string; file: string; onAgain: () => void }) {
  const query = useImport(id)
  const one = query.data
  const frame = (title: string, body: ReactNode, actions?: ReactNode) => (
    <section
      aria-label={title}
      className="mt-5 max-w-[40rem] rounded border border-line bg-surface p-4 sm:p-6"
    >
      <h2 className="text-lead font-semibold wrap-anywhere">{title}</h2>
      <div className="mt-1 text-small text-muted">{body}</div>
      {actions && <div className="mt-4 flex flex-wrap gap-3">{actions}</div>}
    </section>
  )
  const next = (
    <button type="button" className={quietButton} onClick={onAgain}>
      {text.next}
    </button>
  )
  if (!one)
    return query.isError ? (
      <LoadFailed error={query.error} retry={query.refetch} />
    ) : (
      <Rows count={1} />
    )
  if (one.status === 'succeeded')
    return frame(
      text.doneTitle(one.fileName || file),
      <p role="status">{text.done(one.accepted ?? 0, one.unchanged ?? 0, one.restated ?? 0)}</p>,
      <>
        <Link to="/" className={primaryButton}>
          {text.see}
        </Link>
        {next}
      </>,
    )
  if (one.status === 'failed')
    return frame(
      text.failedTitle(one.fileName || file),
      <div role="alert" className="text-trouble">
        <p>{[one.message, text.failed].filter(Boolean).join(' ')}</p>
        {one.errors.slice(0, 20).map((error, i) => (
          <p key={i}>
            {text.line(error.line)}: {error.message}
          </p>
        ))}
      </div>,
      next,
    )
  const total = one.readings
  return frame(
    file,
    <>
      <p role="status" className="num">
        {one.status === 'queued' ? text.queued : text.progress(one.readingsDone, total)}
      </p>
      <span aria-hidden="true" className="mt-2 block h-1 overflow-hidden rounded-full bg-sunken">
        <span
          className="block h-full rounded-full bg-accent"
          style={{ width: `${total ? (100 * one.readingsDone) / total : 0}%` }}
        />
      </span>
    </>,
  )
}

const tones = {
  succeeded: 'good',
  failed: 'trouble',
  running: 'plain',
  queued: 'plain',
  preview: 'plain',
} as const

function Past() {
  const { tenant } = useIdentity()
  const query = useImports()
  const all = query.data?.imports
  return (
    <Section title={text.past}>
      {all ? (
        all.length === 0 ? (
          <p className="text-small text-muted">{text.noPast}</p>
        ) : (
          <ul>
            {all.map((one) => (
              <li
                key={one.id}
                className="num border-t border-line py-3 text-small first:border-t-0"
              >
                <p className="flex flex-wrap items-baseline justify-between gap-x-6">
                  <span>
                    <span className="font-semibold wrap-anywhere">{one.fileName}</span>{' '}
                    <span className="text-muted">
                      {one.createdAt && clock(one.createdAt, tenant.timeZone, new Date())}
                    </span>
                  </span>
                  <State tone={tones[one.status]}>{text.status[one.status]}</State>
                </p>
                <p className="text-muted">
                  {one.status === 'succeeded'
                    ? text.done(one.accepted ?? 0, one.unchanged ?? 0, one.restated ?? 0)
                    : one.status === 'failed'
                      ? [
                          one.message,
                          one.errors[0] &&
                            `${text.line(one.errors[0].line)}: ${one.errors[0].message}`,
                        ]
                          .filter(Boolean)
                          .join(' ')
                      : text.progress(one.readingsDone, one.readings)}
                </p>
              </li>
            ))}
          </ul>
        )
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <Rows count={2} />
      )}
    </Section>
  )
}
