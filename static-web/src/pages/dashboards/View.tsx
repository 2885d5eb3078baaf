import { useQueryClient } from '@tanstack/react-query'
import { ChevronLeft, Ellipsis, Monitor, Share2 } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Link, useLocation, useNavigate, useParams } from 'react-router'
import { api, ApiError } from '../../api/client'
import type { Dashboard, DashboardTile } from '../../api/types'
import { Board } from '../../components/board/Board'
import { Dialog } from '../../components/Dialog'
import { Menu, useCloseMenu } from '../../components/Menu'
import { primaryButton } from '../../components/buttons'
import { ErrorNotice, Notice, quietButton } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { PrintNote } from '../../components/print/PrintNote'
import { SavedAt } from '../../components/SavedAt'
import { Skeleton } from '../../components/Skeleton'
import { dayIn } from '../../lib/dates'
import { freshWords } from '../../lib/freshWords'
import { ofAll, usePeriod } from '../../lib/range'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { keptBoard } from './draft'
import { useDashboard, useNumbers, useShares } from './queries'

const Editor = lazy(() => import('./Editor'))
const Share = lazy(() => import('./Share'))

const noTiles: readonly DashboardTile[] = []

/** One dashboard: to look at, and for those who may, to change. */
export function View() {
  const identity = useIdentity()
  const { tenant } = identity
  const { id = '' } = useParams()
  const location = useLocation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const dashboard = useDashboard(tenant.id, id)
  const period = usePeriod()
  const board = dashboard.data
  const asked = (location.state as { edit?: boolean } | null)?.edit === true
  const [opened, setEditing] = useState<boolean | null>(asked ? true : null)
  // What was arranged and not saved is gone on with.
  const editing = opened ?? (board !== undefined && keptBoard(identity, board) !== null)
  const [sharing, setSharing] = useState(false)
  const [removing, setRemoving] = useState(false)
  const [failed, setFailed] = useState<string | null>(null)
  const mayKeep = useMay('keep_dashboards')
  const mayShare = useMay('manage_shares')
  const links = useShares(tenant.id, id, mayShare).data?.shares.length ?? 0
  // A tile says itself what it is narrowed to; what another page was narrowed to would not show here.
  const span = ofAll(period.span)
  const { summary, numbers } = useNumbers(
    tenant.id,
    span,
    period.compare,
    board?.tiles ?? noTiles,
    editing,
    true,
  )
  const today = dayIn(tenant.timeZone, new Date())
  const data = summary.data

  useEffect(() => {
    document.title = `${tenant.name} · ${board?.name ?? boards.title} · ${messages.productShort}`
  }, [tenant.name, board?.name])

  const changed = (next: Dashboard) => {
    client.setQueryData(['dashboard', tenant.id, `dashboards/${id}`], next)
    void client.invalidateQueries({ queryKey: ['dashboards'] })
  }
  const attempt = async (work: () => Promise<void>) => {
    setFailed(null)
    try {
      await work()
    } catch (error) {
      setFailed(error instanceof ApiError ? error.message : messages.errors.crash)
    }
  }
  const copy = () =>
    attempt(async () => {
      if (!board) return
      const made = await api.post<Dashboard>('dashboards', {
        name: boards.copyName(board.name),
        tiles: board.tiles,
      })
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      await navigate({ pathname: `/dashboards/${made.id}`, search: location.search })
    })
  const remove = () =>
    attempt(async () => {
      await api.delete(`dashboards/${id}`)
      void client.invalidateQueries({ queryKey: ['dashboards'] })
      await navigate({ pathname: '/dashboards', search: location.search })
    })

  const gone = dashboard.error instanceof ApiError && dashboard.error.status === 404
  return (
    <div className="mx-auto max-w-[90rem] px-4 pb-16 sm:px-8">
      <div className="flex flex-col gap-2 pt-3 lg:flex-row lg:items-start lg:justify-between lg:gap-12 lg:pt-8">
        <div className="min-w-0 flex-1">
          <Link
            to={{ pathname: '/dashboards', search: location.search }}
            className="tap -ml-1.5 inline-flex items-center gap-1 rounded pr-3 text-small text-muted hover:text-ink print:hidden"
          >
            <ChevronLeft aria-hidden="true" size={16} />
            {boards.all}
          </Link>
          <div className="flex items-center justify-between gap-3 sm:justify-start">
            <h1 className="min-w-0 text-big font-semibold tracking-[-0.01em] [overflow-wrap:anywhere]">
              {board?.name ?? (gone ? boards.title : <Skeleton className="h-7 w-48" />)}
            </h1>
            {board && !editing && (mayKeep || board.mayEdit) && (
              <Menu
                label={boards.more}
                align="right"
                buttonClass="tap grid place-items-center rounded text-muted hover:text-ink print:hidden"
                button={<Ellipsis aria-hidden="true" size={20} />}
              >
                {mayKeep && <Choice onPick={() => void copy()}>{boards.copy}</Choice>}
                {board.mayEdit && (
                  <Choice
                    onPick={() => {
                      setRemoving(true)
                    }}
                  >
                    <span className="text-trouble">{boards.remove}</span>
                  </Choice>
                )}
              </Menu>
            )}
            {board?.mayEdit && !editing && (
              <button
                type="button"
                className={`${quietButton} print:hidden`}
                onClick={() => {
                  setEditing(true)
                }}
              >
                {boards.edit}
              </button>
            )}
          </div>
          {board && !editing && (
            <div className="mt-2 flex flex-wrap items-center gap-2 print:hidden">
              {mayShare && (
                <button
                  type="button"
                  className={quietButton}
                  onClick={() => {
                    setSharing(true)
                  }}
                >
                  <Share2 aria-hidden="true" size={14} />
                  {boards.shareButton}
                </button>
              )}
              <Link to={`/tv?boards=${id}&range=${period.preset}`} className={quietButton}>
                <Monitor aria-hidden="true" size={14} />
                {boards.tv}
              </Link>
              {links > 0 && (
                <span className="num text-small text-muted">{boards.linksWork(links)}</span>
              )}
            </div>
          )}
          {data && <p className="num mt-0.5 text-small text-muted">{freshWords(data)}</p>}
        </div>
        <PeriodBar
          period={period}
          days={data}
          today={today}
          timeZone={tenant.timeZone}
          business={tenant.name}
        />
      </div>

      {failed && (
        <p role="alert" className="mt-4 rounded bg-sunken px-3 py-2 text-small">
          {failed}
        </p>
      )}

      {board ? (
        summary.isError && !data ? (
          <ErrorNotice error={summary.error} retry={() => void summary.refetch()} />
        ) : editing && board.mayEdit ? (
          <Suspense fallback={<Skeleton className="mt-6 h-64 w-full" />}>
            <Editor
              board={board}
              numbers={numbers}
              span={span}
              compare={period.compare}
              onDone={(next) => {
                if (next) changed(next)
                setEditing(false)
              }}
              onReload={() => {
                setEditing(false)
                void dashboard.refetch()
              }}
            />
          </Suspense>
        ) : board.tiles.length === 0 ? (
          <Notice
            title={boards.empty}
            action={
              board.mayEdit && (
                <button
                  type="button"
                  className={primaryButton}
                  onClick={() => {
                    setEditing(true)
                  }}
                >
                  {boards.edit}
                </button>
              )
            }
          >
            {boards.emptyHow}
          </Notice>
        ) : (
          <div
            className={
              summary.isPlaceholderData ? 'opacity-60 transition-opacity' : 'transition-opacity'
            }
          >
            <Board tiles={board.tiles} numbers={numbers} />
            {board.shared && !board.mayEdit && (
              <p className="mt-6 text-small text-muted print:hidden">{boards.readOnly}</p>
            )}
          </div>
        )
      ) : gone ? (
        <Notice
          title={dashboard.error?.message ?? ''}
          action={
            <Link to="/dashboards" className={quietButton}>
              {boards.all}
            </Link>
          }
        />
      ) : dashboard.isError ? (
        <ErrorNotice error={dashboard.error} retry={() => void dashboard.refetch()} />
      ) : (
        <div aria-busy="true" className="mt-6 grid grid-cols-2 gap-6 lg:grid-cols-4">
          <span className="sr-only">{messages.loading}</span>
          {Array.from({ length: 8 }, (_, i) => (
            <Skeleton key={i} className="h-28 w-full" />
          ))}
        </div>
      )}
      {data && <PrintNote business={tenant.name} summary={data} />}
      <SavedAt query={summary} timeZone={tenant.timeZone} />

      {board && sharing && (
        <Suspense fallback={null}>
          <Share
            board={board}
            onClose={() => {
              setSharing(false)
            }}
          />
        </Suspense>
      )}
      {board && (
        <Dialog
          title={boards.removeTitle}
          open={removing}
          onClose={() => {
            setRemoving(false)
          }}
        >
          <p>{boards.removeWords(board.name, board.shared)}</p>
          <div className="mt-5 flex flex-wrap gap-3">
            <button
              type="button"
              className={`${quietButton} text-trouble`}
              onClick={() => {
                setRemoving(false)
                void remove()
              }}
            >
              {boards.removeYes}
            </button>
            <button
              type="button"
              className={quietButton}
              onClick={() => {
                setRemoving(false)
              }}
            >
              {boards.cancel}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  )
}

function Choice({ onPick, children }: { onPick: () => void; children: React.ReactNode }) {
  const close = useCloseMenu()
  return (
    <button
      type="button"
      className="tap flex w-full items-center rounded px-3 text-left hover:bg-sunken"
      onClick={() => {
        close()
        onPick()
      }}
    >
      {children}
    </button>
  )
}
