import '../../wall.css'
import { ChevronLeft, ChevronRight, Maximize, Pause, Play, X } from 'lucide-react'
import { useEffect, useMemo, useRef, useState, type CSSProperties } from 'react'
import type { DashboardTile } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Notice, quietButton } from '../../components/Notice'
import { Sparkline } from '../../components/Sparkline'
import { ofTile, tileName, type BoardNumbers } from '../../components/board/TileBody'
import { daysAlongside } from '../../lib/alongside'
import { isFailing, sortWorkflows } from '../../lib/automation'
import { arrange, rowsOf, screens } from '../../lib/boards'
import { describeChange } from '../../lib/change'
import { clock, dayName, dayRange } from '../../lib/dates'
import { formatNumber } from '../../lib/format'
import { freshWords } from '../../lib/freshWords'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'

const text = boards.tvMode

/** A dashboard with its numbers, as a wall shows it. */
export interface WallBoard {
  id: string
  name: string
  business: string
  tiles: readonly DashboardTile[]
  numbers: BoardNumbers
  /** When the numbers came, in milliseconds. */
  at: number
  /** The last try to renew them failed. */
  lost: boolean
}

interface Props {
  walls: readonly WallBoard[]
  /** Seconds that a screen stays. */
  every: number
  waiting: boolean
  problem: string | null
  onExit: () => void
}

/** Full screen, one screen after the other. Arrow keys, space and a remote control work; the pointer brings buttons. */
export function Wall({ walls, every, waiting, problem, onExit }: Props) {
  const pages = useMemo(
    () => walls.flatMap((wall) => screens(wall.tiles).map((tiles, i) => ({ wall, tiles, i }))),
    [walls],
  )
  const [at, setAt] = useState(0)
  const [paused, setPaused] = useState(false)
  const count = pages.length
  const here = count === 0 ? 0 : ((at % count) + count) % count
  const page = pages[here]
  const online = useOnline()
  useWakeLock()
  const shown = useControls()

  useEffect(() => {
    if (paused || count < 2) return
    const timer = setTimeout(() => {
      setAt(here + 1)
    }, every * 1000)
    return () => {
      clearTimeout(timer)
    }
  }, [paused, count, every, here])

  const exit = useRef(onExit)
  useEffect(() => {
    exit.current = onExit
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const button = (event.target as HTMLElement).closest('button')
      switch (event.key) {
        case 'ArrowRight':
        case 'PageDown':
        case 'MediaTrackNext':
          setAt((was) => was + 1)
          break
        case 'ArrowLeft':
        case 'PageUp':
        case 'MediaTrackPrevious':
          setAt((was) => was - 1)
          break
        case ' ':
        case 'Enter':
          // A button that has the focus is pressed by these.
          if (button) return
          setPaused((was) => !was)
          break
        case 'MediaPlayPause':
          setPaused((was) => !was)
          break
        case 'f':
          toggleFullScreen()
          break
        case 'Escape':
        case 'GoBack':
        case 'BrowserBack':
          // The first Escape leaves the full screen, which the browser does by itself.
          if (!document.fullscreenElement) exit.current()
          break
        default:
          return
      }
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('keydown', onKey)
    }
  }, [])

  if (!page)
    return (
      <main id="main" className="grid min-h-dvh place-content-center px-6">
        <h1 className="sr-only">{text.title}</h1>
        {waiting ? (
          <p role="status" className="text-lead text-muted">
            {messages.loading}
          </p>
        ) : (
          <Notice
            title={problem ?? boards.empty}
            action={
              <button type="button" className={quietButton} onClick={onExit}>
                {text.exit}
              </button>
            }
          />
        )}
      </main>
    )

  const { wall, tiles } = page
  const { summary } = wall.numbers
  const rows = rowsOf(tiles)
  const stale = !online || wall.lost
  const button = 'tap grid place-items-center rounded bg-surface text-ink shadow-over'
  return (
    <main
      id="main"
      className="wall fixed inset-0 grid grid-rows-[auto_minmax(0,1fr)_auto] overflow-hidden bg-page"
      style={{ '--wall-rows': rows } as CSSProperties}
    >
      <header className="wall-head flex items-baseline justify-between gap-8">
        <h1 className="min-w-0 truncate font-semibold">{wall.name}</h1>
        <p className="truncate text-muted">{wall.business}</p>
      </header>
      <ul aria-label={wall.name} className="wall-grid">
        {arrange(tiles).map(({ tile, ...room }) => (
          <li
            key={tile.id}
            className="wall-tile min-h-0 min-w-0 border-t-2 border-line"
            style={{
              gridColumn: `${room.column + 1} / span ${room.width}`,
              gridRow: `${room.row + 1} / span ${room.height}`,
            }}
          >
            <WallTile tile={tile} numbers={wall.numbers} />
          </li>
        ))}
      </ul>
      <footer className="wall-foot num flex items-center justify-between gap-8 text-muted">
        {stale && wall.at > 0 ? (
          <p role="status" className="flex items-center gap-[0.5em] text-attention">
            <span aria-hidden="true" className="size-[0.6em] rounded-full bg-attention" />
            {text.offline(
              clock(new Date(wall.at).toISOString(), summary?.timeZone ?? 'UTC', new Date()),
            )}
          </p>
        ) : (
          <p className="truncate">{summary ? freshWords(summary) : messages.loading}</p>
        )}
        <p className="whitespace-nowrap">
          {summary && dayRange(summary.from, summary.to, summary.today)}
          {summary?.compareFrom && ` · ${text.compared(beforeWords(summary))}`}
          {count > 1 && ` · ${paused ? `${text.paused} ` : ''}${text.screenOf(here + 1, count)}`}
        </p>
      </footer>
      <div
        role="group"
        aria-label={text.controls}
        className={`wall-controls absolute right-4 bottom-16 flex gap-2 lg:right-auto lg:bottom-2 lg:left-1/2 lg:-translate-x-1/2 transition-opacity focus-within:opacity-100 ${shown ? 'opacity-100' : 'opacity-0'}`}
      >
        <button
          type="button"
          className={button}
          aria-label={text.previous}
          onClick={() => {
            setAt(here - 1)
          }}
        >
          <ChevronLeft aria-hidden="true" size={22} />
        </button>
        <button
          type="button"
          className={button}
          aria-label={paused ? text.play : text.pause}
          onClick={() => {
            setPaused(!paused)
          }}
        >
          {paused ? <Play aria-hidden="true" size={20} /> : <Pause aria-hidden="true" size={20} />}
        </button>
        <button
          type="button"
          className={button}
          aria-label={text.next}
          onClick={() => {
            setAt(here + 1)
          }}
        >
          <ChevronRight aria-hidden="true" size={22} />
        </button>
        <button type="button" className={button} aria-label={text.full} onClick={toggleFullScreen}>
          <Maximize aria-hidden="true" size={20} />
        </button>
        <button type="button" className={button} aria-label={text.exit} onClick={onExit}>
          <X aria-hidden="true" size={22} />
        </button>
      </div>
    </main>
  )
}

/** Large enough for five metres: its sizes follow from the room that the tile has (styles: wall-…). */
function WallTile({ tile, numbers: all }: { tile: DashboardTile; numbers: BoardNumbers }) {
  const { gone, of, own } = ofTile(tile, all)
  const { summary, automation } = own
  if (tile.kind === 'note') return <p className="wall-note whitespace-pre-line">{tile.text}</p>
  if (gone)
    return (
      <>
        <h2 className="wall-name wrap-anywhere">{tileName(tile, all)}</h2>
        <p className="wall-state text-attention">
          {all.link ? boards.sourceGoneLink : boards.sourceGone}
        </p>
      </>
    )
  if (!summary) return null
  if (tile.kind === 'freshness')
    return (
      <>
        <h2 className="wall-name">{boards.freshness}</h2>
        <ul className="wall-list">
          {summary.freshness.slice(0, 4).map((source, i) => (
            <li key={i} className="flex justify-between gap-[1em]">
              <span className="min-w-0 wrap-anywhere">{source.displayName}</span>
              <span className="num whitespace-nowrap text-muted">
                {boards.states[source.status]}
                {source.completeThrough && ` · ${dayName(source.completeThrough)}`}
              </span>
            </li>
          ))}
        </ul>
      </>
    )
  if (tile.kind === 'automation')
    return (
      <>
        <h2 className="wall-name wrap-anywhere">{tileName(tile, all)}</h2>
        <ul className="wall-list">
          {sortWorkflows([...(automation?.workflows ?? [])], 'timeSavedMinutes', true)
            .slice(0, 4)
            .map((flow) => (
              <li
                key={`${flow.integrationId} ${flow.id}`}
                className="flex justify-between gap-[1em]"
              >
                <span className="truncate">{flow.name}</span>
                <span className="num whitespace-nowrap">
                  {isFailing(flow) && (
                    <span className="text-trouble">
                      {boards.columns.failed} {flow.failed ?? '–'}
                      {' · '}
                    </span>
                  )}
                  {flow.timeSavedMinutes === null
                    ? messages.notMeasurable
                    : formatNumber(flow.timeSavedMinutes, { unit: 'minutes' }, 'table')}
                </span>
              </li>
            ))}
        </ul>
      </>
    )
  const kpi = summary.kpis.find((one) => one.key === tile.kpi)
  if (!kpi) return <p className="wall-name">{boards.noData}</p>
  const change = describeChange(kpi, beforeWords(summary), summary.compare)
  const style = { unit: shownUnit(kpi), currency: kpi.currency ?? summary.currency }
  return (
    <div className="flex h-full flex-col">
      <h2 className="wall-name wrap-anywhere">
        {of === null ? kpi.name : `${kpi.name} ${boards.ofSources(of)}`}
      </h2>
      <p className="flex flex-wrap items-baseline gap-x-[2.5cqw]">
        <span className="wall-value num font-semibold">
          {kpi.value === null ? messages.notMeasurable : formatNumber(kpi.value, style)}
        </span>
        <span className="wall-change">{change && <ChangeText change={change} />}</span>
      </p>
      {kpi.noDataSince !== null && (
        <p className="wall-state text-attention">{boards.noDataSince(dayName(kpi.noDataSince))}</p>
      )}
      {summary.dates.length > 1 && (
        <Sparkline
          values={kpi.sparkline}
          status={kpi.dayStatus}
          comparison={daysAlongside(summary, kpi.comparison).values}
          className="mt-[2cqh] min-h-0 flex-1"
        />
      )}
    </div>
  )
}

function toggleFullScreen() {
  const work = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen()
  work.catch(() => undefined)
}

function useOnline() {
  const [online, setOnline] = useState(() => navigator.onLine)
  useEffect(() => {
    const look = () => {
      setOnline(navigator.onLine)
    }
    addEventListener('online', look)
    addEventListener('offline', look)
    return () => {
      removeEventListener('online', look)
      removeEventListener('offline', look)
    }
  }, [])
  return online
}

/** Keeps the screen from going dark, where the browser can; asked for again when the page comes back to the front. */
function useWakeLock() {
  useEffect(() => {
    if (!('wakeLock' in navigator)) return
    let lock: WakeLockSentinel | null = null
    let over = false
    const take = async () => {
      if (document.visibilityState !== 'visible') return
      try {
        lock = await navigator.wakeLock.request('screen')
        if (over) await lock.release()
      } catch {
        // Low battery, or forbidden: the screen does what it is set to.
      }
    }
    const look = () => void take()
    void take()
    document.addEventListener('visibilitychange', look)
    return () => {
      over = true
      document.removeEventListener('visibilitychange', look)
      lock?.release().catch(() => undefined)
    }
  }, [])
}

/** Buttons and pointer are there for a while after the pointer moved. */
function useControls() {
  const [shown, setShown] = useState(true)
  useEffect(() => {
    let timer = setTimeout(() => {
      setShown(false)
    }, 4000)
    const show = () => {
      setShown(true)
      clearTimeout(timer)
      timer = setTimeout(() => {
        setShown(false)
      }, 4000)
    }
    addEventListener('pointermove', show)
    addEventListener('pointerdown', show)
    return () => {
      clearTimeout(timer)
      removeEventListener('pointermove', show)
      removeEventListener('pointerdown', show)
    }
  }, [])
  return shown
}
