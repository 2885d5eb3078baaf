import { Check, GripVertical, MoveDiagonal2, Settings2 } from 'lucide-react'
import {
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent as ReactPointerEvent,
} from 'react'
import { api, ApiError } from '../../api/client'
import type { Compare, Dashboard, DashboardTile } from '../../api/types'
import { gridClass, roomOf } from '../../components/board/Board'
import { TileBody, tileName, type BoardNumbers } from '../../components/board/TileBody'
import { Menu } from '../../components/Menu'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { inputClass, Select } from '../../components/ui'
import {
  append,
  columns,
  mostTiles,
  place,
  size,
  sourcesOf,
  step,
  type Direction,
} from '../../lib/boards'
import { announce, writeDraft } from '../../lib/drafts'
import { useSources } from '../../components/sources/useSources'
import { useMay } from '../../lib/may'
import type { Span } from '../../lib/range'
import { choicesOf, type Source } from '../../lib/sources'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { draftOf, keptBoard } from './draft'
import { useParts } from './queries'

interface Props {
  board: Dashboard
  numbers: BoardNumbers
  span: Span
  compare: Compare
  /** With what was saved; null: nothing was. */
  onDone: (saved: Dashboard | null) => void
  onReload: () => void
}

const field = `${inputClass} border-line-strong`
const handle =
  'tap grid touch-none place-items-center rounded text-muted hover:bg-sunken hover:text-ink'
const kinds = ['kpi', 'chart', 'automation', 'freshness', 'note'] as const
const arrows: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

/** Arranging a dashboard: by mouse, by finger, by keyboard, and by plain buttons. What happened is read out. */
export default function Editor({ board, numbers: whole, span, compare, onDone, onReload }: Props) {
  const identity = useIdentity()
  // Of this version only: somebody else's changes are not overwritten by an old arrangement.
  const kept = useMemo(() => keptBoard(identity, board), [identity, board])
  const [tiles, setTiles] = useState<readonly DashboardTile[]>(kept?.tiles ?? board.tiles)
  // What is narrowed here shows its numbers before it is saved.
  const parts = useParts(identity.tenant.id, span, compare, tiles, whole.summary, true)
  const numbers = { ...whole, ...parts }
  const [name, setName] = useState(kept?.name ?? board.name)
  const [shared, setShared] = useState(kept?.shared ?? board.shared)
  const changed = tiles !== board.tiles || name !== board.name || shared !== board.shared
  const [saved, setSaved] = useState(false)
  useEffect(() => {
    if (!changed || saved) {
      writeDraft(identity, draftOf(board), null)
      return
    }
    writeDraft(identity, draftOf(board), { version: board.version, tiles, name, shared })
    return announce(() => {
      writeDraft(identity, draftOf(board), null)
    })
  }, [identity, board, changed, saved, tiles, name, shared])
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const [said, setSaid] = useState('')
  const [dragged, setDragged] = useState<string | null>(null)
  const grid = useRef<HTMLUListElement>(null)
  const mayShare = useMay('share_dashboards')
  const id = useId()

  // Pointer listeners live longer than a render.
  const now = useRef(tiles)
  useEffect(() => {
    now.current = tiles
  })
  const put = (next: readonly DashboardTile[]) => {
    now.current = next
    setTiles(next)
  }

  const all = useSources(identity.tenant.id)
  const nameOf = (tile: DashboardTile) => tileName(tile, numbers)
  const narrow = (tile: DashboardTile, sources: string[] | null, of: string | null) => {
    put(tiles.map((one) => (one === tile ? { ...tile, sources } : one)))
    setSaid(boards.narrowed(tileName({ ...tile, sources: null }, numbers), of))
  }
  const change = (tile: DashboardTile, next: readonly DashboardTile[]) => {
    const at = next.findIndex((one) => one.id === tile.id)
    const words = next === tiles ? boards.stays : boards.moved
    put(next)
    setSaid(words(nameOf(tile), at + 1, next.length))
  }
  const resize = (tile: DashboardTile, width: number, height: number) => {
    const next = size(tiles, tile.id, width, height)
    put(next)
    const own = next.find((one) => one.id === tile.id) ?? tile
    setSaid(boards.sized(nameOf(tile), own.width, own.height))
  }

  /** Follows a pointer until it is let go. */
  const follow = (
    event: ReactPointerEvent,
    tile: DashboardTile,
    onMove: (x: number, y: number) => void,
    onEnd: () => void,
  ) => {
    if (event.button !== 0) return
    event.preventDefault()
    setDragged(tile.id)
    const move = (at: PointerEvent) => {
      onMove(at.clientX, at.clientY)
    }
    const end = () => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', end)
      removeEventListener('pointercancel', end)
      setDragged(null)
      onEnd()
    }
    addEventListener('pointermove', move)
    addEventListener('pointerup', end)
    addEventListener('pointercancel', end)
  }
  const drag = (event: ReactPointerEvent, tile: DashboardTile) => {
    // A tile that was passed counts again only after it was left: the two would change places for ever.
    let over: string | null = null
    follow(
      event,
      tile,
      (x, y) => {
        const target = document
          .elementsFromPoint(x, y)
          .map((one) => one.closest<HTMLElement>('[data-tile]'))
          .find((one) => one !== null)
        const other = target?.dataset.tile ?? null
        if (other === null || other === tile.id) over = null
        else if (other !== over) {
          over = other
          put(
            place(
              now.current,
              tile.id,
              now.current.findIndex((one) => one.id === other),
            ),
          )
        }
      },
      () => {
        const at = now.current.findIndex((one) => one.id === tile.id)
        setSaid(boards.moved(nameOf(tile), at + 1, now.current.length))
      },
    )
  }
  const stretch = (event: ReactPointerEvent, tile: DashboardTile) => {
    const box = grid.current
    if (!box) return
    const css = getComputedStyle(box)
    const column = (box.clientWidth + (parseFloat(css.columnGap) || 0)) / columns
    const row = parseFloat(css.fontSize) * 8 + (parseFloat(css.rowGap) || 0)
    const [x0, y0] = [event.clientX, event.clientY]
    follow(
      event,
      tile,
      (x, y) => {
        put(
          size(now.current, tile.id, tile.width + (x - x0) / column, tile.height + (y - y0) / row),
        )
      },
      () => {
        const own = now.current.find((one) => one.id === tile.id) ?? tile
        setSaid(boards.sized(nameOf(tile), own.width, own.height))
      },
    )
  }

  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      const answer = await api.patch<Dashboard>(`dashboards/${board.id}`, {
        version: board.version,
        name,
        tiles,
        ...(shared === board.shared ? {} : { shared }),
      })
      setSaved(true)
      writeDraft(identity, draftOf(board), null)
      onDone(answer)
    } catch (problem) {
      setError(problem instanceof ApiError ? problem : new ApiError(messages.errors.crash, 0))
      setBusy(false)
    }
  }
  const remove = (tile: DashboardTile) => {
    const at = tiles.indexOf(tile)
    put(tiles.filter((one) => one !== tile))
    setSaid(boards.removed(nameOf(tile)))
    // The focus goes on to what stands in its place now.
    const next = tiles[at + 1] ?? tiles[at - 1]
    requestAnimationFrame(() => {
      document.getElementById(next ? `move-${next.id}` : `${id}-kind`)?.focus()
    })
  }
  const nameWrong = error?.fields.name?.[0]

  return (
    <div>
      <div className="mt-4 flex flex-wrap items-end gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-60">
          <label htmlFor={`${id}-name`} className="mb-1 block text-small text-muted">
            {boards.name}
          </label>
          <input
            id={`${id}-name`}
            value={name}
            maxLength={60}
            aria-invalid={nameWrong ? true : undefined}
            className={field}
            onChange={(event) => {
              setName(event.target.value)
            }}
          />
        </div>
        {mayShare && (
          <div className="min-w-0 basis-56">
            <label htmlFor={`${id}-shared`} className="mb-1 block text-small text-muted">
              {boards.sharing}
            </label>
            <Select
              id={`${id}-shared`}
              value={shared ? 'all' : 'me'}
              disabled={board.shared && !board.isMine}
              title={board.shared && !board.isMine ? boards.keptPrivate : undefined}
              className={field}
              onChange={(event) => {
                setShared(event.target.value === 'all')
              }}
            >
              <option value="me">{boards.private}</option>
              <option value="all">{boards.everyone}</option>
            </Select>
          </div>
        )}
        <div className="flex gap-3">
          <button
            type="button"
            className={primaryButton}
            disabled={busy}
            onClick={() => void save()}
          >
            {busy ? boards.saving : boards.done}
          </button>
          <button
            type="button"
            className={quietButton}
            disabled={busy}
            onClick={() => {
              setSaved(true)
              writeDraft(identity, draftOf(board), null)
              onDone(null)
            }}
          >
            {boards.cancel}
          </button>
        </div>
      </div>
      {error && (
        <div role="alert" className="mt-3 rounded bg-sunken px-3 py-2 text-small">
          <p>{error.message}</p>
          {error.status === 409 && (
            <button type="button" className="tap font-semibold text-accent" onClick={onReload}>
              {boards.conflict}
            </button>
          )}
        </div>
      )}

      <Add
        id={id}
        tiles={tiles}
        numbers={numbers}
        onAdd={(next) => {
          put(next)
          const added = next.at(-1)
          if (added) {
            setSaid(boards.added(nameOf(added), next.length))
            requestAnimationFrame(() => {
              document.getElementById(`move-${added.id}`)?.scrollIntoView({ block: 'nearest' })
            })
          }
        }}
      />
      <p className="mt-3 text-small text-muted">{boards.editHint}</p>
      <p aria-live="polite" className="sr-only">
        {said}
      </p>

      <ul ref={grid} aria-label={boards.title} className={`${gridClass} select-none`}>
        {tiles.map((tile) => {
          const room = roomOf(tile)
          const own = nameOf(tile)
          return (
            <li
              key={tile.id}
              data-tile={tile.id}
              aria-label={own}
              style={room.style}
              className={`${room.className} relative rounded border bg-surface p-2 pt-0 ${dragged === tile.id ? 'z-10 border-accent shadow-over' : 'border-line'}`}
            >
              <div className="flex items-center justify-between">
                <button
                  type="button"
                  id={`move-${tile.id}`}
                  aria-label={boards.move(own)}
                  aria-describedby={`${id}-move`}
                  className={`${handle} -ml-1 cursor-grab`}
                  onPointerDown={(event) => {
                    drag(event, tile)
                  }}
                  onKeyDown={(event: KeyboardEvent) => {
                    const direction = arrows[event.key]
                    if (!direction) return
                    event.preventDefault()
                    change(tile, step(tiles, tile.id, direction))
                  }}
                >
                  <GripVertical aria-hidden="true" size={18} />
                </button>
                <Options
                  name={own}
                  onStep={(direction) => {
                    change(tile, step(tiles, tile.id, direction))
                  }}
                  onSize={(wider, taller) => {
                    resize(tile, tile.width + wider, tile.height + taller)
                  }}
                  onRemove={() => {
                    remove(tile)
                  }}
                  sources={sourcesOf(tile)}
                  all={all ?? []}
                  of={tile.kind === 'automation' ? 'automation.' : tile.kpi}
                  onSources={(sources, of) => {
                    narrow(tile, sources, of)
                  }}
                />
              </div>
              {tile.kind === 'note' ? (
                <textarea
                  aria-label={boards.noteText}
                  value={tile.text ?? ''}
                  maxLength={1000}
                  rows={2}
                  placeholder={boards.notePlaceholder}
                  className="w-full resize-none rounded border border-line-strong bg-page px-2 py-1"
                  onChange={(event) => {
                    put(
                      tiles.map((one) =>
                        one === tile ? { ...one, text: event.target.value } : one,
                      ),
                    )
                  }}
                />
              ) : (
                // Arranged, not used: what is in it would be in the way of the pointer and of Tab.
                <div inert className="overflow-hidden px-1 pb-7">
                  <TileBody tile={tile} numbers={numbers} />
                </div>
              )}
              <button
                type="button"
                aria-label={boards.resize(own)}
                aria-describedby={`${id}-resize`}
                className={`${handle} absolute right-0 bottom-0 cursor-nwse-resize`}
                onPointerDown={(event) => {
                  stretch(event, tile)
                }}
                onKeyDown={(event: KeyboardEvent) => {
                  const direction = arrows[event.key]
                  if (!direction) return
                  event.preventDefault()
                  const [w, h] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[
                    direction
                  ]
                  resize(tile, tile.width + (w ?? 0), tile.height + (h ?? 0))
                }}
              >
                <MoveDiagonal2 aria-hidden="true" size={16} />
              </button>
            </li>
          )
        })}
      </ul>
      <span id={`${id}-move`} className="sr-only">
        {boards.keysMove}
      </span>
      <span id={`${id}-resize`} className="sr-only">
        {boards.keysResize}
      </span>
    </div>
  )
}

/** Everything that dragging does, for one click each. */
function Options({
  name,
  onStep,
  onSize,
  onRemove,
  sources,
  all,
  of,
  onSources,
}: {
  name: string
  onStep: (direction: Direction) => void
  onSize: (wider: number, taller: number) => void
  onRemove: () => void
  /** What the tile is narrowed to; null for all. */
  sources: readonly string[] | null
  all: readonly Source[]
  /** The number of the tile; null where it has none. */
  of: string | null
  onSources: (sources: string[] | null, names: string | null) => void
}) {
  const id = useId()
  const able = of === null ? [] : choicesOf(all, of)
  const choice = (word: string, act: () => void) => (
    <button
      type="button"
      className="tap flex w-full items-center rounded px-3 text-left hover:bg-sunken"
      onClick={act}
    >
      {word}
    </button>
  )
  return (
    <Menu
      label={boards.options(name)}
      align="right"
      buttonClass={`${handle} -mr-1`}
      button={<Settings2 aria-hidden="true" size={16} />}
    >
      {choice(boards.earlier, () => {
        onStep('left')
      })}
      {choice(boards.later, () => {
        onStep('right')
      })}
      {choice(boards.wider, () => {
        onSize(1, 0)
      })}
      {choice(boards.narrower, () => {
        onSize(-1, 0)
      })}
      {choice(boards.taller, () => {
        onSize(0, 1)
      })}
      {choice(boards.shorter, () => {
        onSize(0, -1)
      })}
      {choice(boards.takeOut, onRemove)}
      {(able.length > 0 || sources !== null) && (
        <div role="group" aria-labelledby={id} className="mt-1 border-t border-line pt-1">
          <p id={id} className="px-3 py-1 text-small text-muted">
            {boards.narrow}
          </p>
          {[{ id: null, name: boards.allSources }, ...able].map((one) => {
            const on = one.id === null ? sources === null : sources?.join() === one.id
            return (
              <button
                key={one.id}
                type="button"
                aria-pressed={on}
                className={`tap flex w-full max-w-64 items-center gap-2 rounded px-3 text-left hover:bg-sunken ${on ? 'font-semibold' : ''}`}
                onClick={() => {
                  onSources(one.id === null ? null : [one.id], one.id === null ? null : one.name)
                }}
              >
                <Check aria-hidden="true" size={14} className={on ? '' : 'invisible'} />
                <span className="min-w-0 wrap-anywhere">{one.name}</span>
              </button>
            )
          })}
        </div>
      )}
    </Menu>
  )
}

function Add({
  id,
  tiles,
  numbers,
  onAdd,
}: {
  id: string
  tiles: readonly DashboardTile[]
  numbers: BoardNumbers
  onAdd: (tiles: readonly DashboardTile[]) => void
}) {
  const kpis = numbers.summary?.kpis ?? []
  const [kind, setKind] = useState<(typeof kinds)[number]>('kpi')
  const [picked, setPicked] = useState<string | null>(null)
  const needsKpi = kind === 'kpi' || kind === 'chart'
  // The next number that is not on the dashboard yet.
  const kpi =
    picked ?? kpis.find((one) => !tiles.some((tile) => tile.kpi === one.key))?.key ?? kpis[0]?.key
  const full = tiles.length >= mostTiles
  return (
    <form
      className="mt-4 flex flex-wrap items-end gap-3 border-t border-line pt-3"
      onSubmit={(event) => {
        event.preventDefault()
        if (full || (needsKpi && !kpi)) return
        onAdd(
          append(tiles, kind, {
            ...(needsKpi && kpi ? { kpi } : {}),
            ...(kind === 'note' ? { text: boards.note } : {}),
          }),
        )
        setPicked(null)
      }}
    >
      <div>
        <label htmlFor={`${id}-kind`} className="mb-1 block text-small text-muted">
          {boards.add}
        </label>
        <Select
          id={`${id}-kind`}
          value={kind}
          className={field}
          onChange={(event) => {
            setKind(event.target.value as (typeof kinds)[number])
          }}
        >
          {kinds.map((one) => (
            <option key={one} value={one}>
              {boards.addKind[one]}
            </option>
          ))}
        </Select>
      </div>
      {needsKpi && (
        <div className="min-w-0 flex-1 basis-44 sm:max-w-72">
          <label htmlFor={`${id}-kpi`} className="mb-1 block text-small text-muted">
            {boards.addWhich}
          </label>
          <Select
            id={`${id}-kpi`}
            value={kpi ?? ''}
            className={field}
            onChange={(event) => {
              setPicked(event.target.value)
            }}
          >
            {kpis.map((one) => (
              <option key={one.key} value={one.key}>
                {one.name}
              </option>
            ))}
          </Select>
        </div>
      )}
      <button type="submit" className={quietButton} disabled={full || (needsKpi && !kpi)}>
        {boards.add}
      </button>
      {full && <p className="text-small text-muted">{boards.full(mostTiles)}</p>}
    </form>
  )
}
