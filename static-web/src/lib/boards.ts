import type { DashboardTile } from '../api/types'

// As functions/KpiDashboard/Dashboards/DashboardLayout.cs has them; the API refuses what breaks them.
export const columns = 12
export const mostTiles = 40
const least = 2
const mostRows = 6

interface Narrowable {
  sources?: readonly string[] | null
}

/** What a tile is narrowed to; null for all sources. Tiles that were saved before they could be have nothing there. */
export const sourcesOf = (tile: Narrowable): readonly string[] | null => tile.sources ?? null

/** One and the same for tiles that are narrowed alike; empty for all sources. */
export const narrowing = (tile: Narrowable): string => [...(sourcesOf(tile) ?? [])].sort().join(',')

/** What tiles are narrowed to, each once, as far as all of it is there: the numbers of these are asked for. */
export const narrowings = (
  tiles: readonly Narrowable[],
  known: readonly { id: string }[],
): string[] =>
  [...new Set(tiles.map(narrowing))].filter(
    (one) => one !== '' && one.split(',').every((id) => known.some((source) => source.id === id)),
  )

export type Direction = 'left' | 'right' | 'up' | 'down'

/** The tiles with one of them at another place; the rest keep their order. */
export function place(
  tiles: readonly DashboardTile[],
  id: string,
  index: number,
): readonly DashboardTile[] {
  const from = tiles.findIndex((tile) => tile.id === id)
  const to = Math.max(0, Math.min(tiles.length - 1, index))
  const tile = tiles[from]
  if (!tile || from === to) return tiles
  const rest = tiles.filter((one) => one !== tile)
  return [...rest.slice(0, to), tile, ...rest.slice(to)]
}

/** One step by an arrow key: left and right by one tile, up and down by about a row. */
export function step(
  tiles: readonly DashboardTile[],
  id: string,
  direction: Direction,
): readonly DashboardTile[] {
  const at = tiles.findIndex((tile) => tile.id === id)
  if (at < 0) return tiles
  if (direction === 'left') return place(tiles, id, at - 1)
  if (direction === 'right') return place(tiles, id, at + 1)
  const cells = pack(tiles)
  const own = cells[at]
  if (!own) return tiles
  // The tile that stands where this one wants to go: in the row above or below, nearest to the own column.
  const wanted =
    direction === 'up'
      ? Math.max(...cells.filter((cell) => cell.row < own.row).map((cell) => cell.row))
      : Math.min(...cells.filter((cell) => cell.row > own.row).map((cell) => cell.row))
  if (!Number.isFinite(wanted)) return place(tiles, id, direction === 'up' ? 0 : tiles.length - 1)
  let best = -1
  cells.forEach((cell, i) => {
    if (cell.row !== wanted) return
    const before = cells[best]
    if (!before || Math.abs(cell.column - own.column) < Math.abs(before.column - own.column))
      best = i
  })
  return place(tiles, id, best)
}

/** The tiles with one of them of another size, within the limits. */
export function size(
  tiles: readonly DashboardTile[],
  id: string,
  width: number,
  height: number,
): readonly DashboardTile[] {
  const clamp = (value: number, from: number, to: number) =>
    Math.max(from, Math.min(to, Math.round(value)))
  const next = { width: clamp(width, least, columns), height: clamp(height, 1, mostRows) }
  return tiles.map((tile) => (tile.id === id ? { ...tile, ...next } : tile))
}

export interface Cell {
  column: number
  row: number
}

/** Where each tile ends up on the grid: as the browser places them, in order and without going back to fill gaps. */
export function pack(tiles: readonly Pick<DashboardTile, 'width' | 'height'>[]): Cell[] {
  const taken = new Set<number>()
  const free = (row: number, column: number, width: number, height: number) => {
    for (let r = row; r < row + height; r++)
      for (let c = column; c < column + width; c++) if (taken.has(r * columns + c)) return false
    return true
  }
  let [row, column] = [0, 0]
  return tiles.map(({ width, height }) => {
    while (column + width > columns || !free(row, column, width, height)) {
      column++
      if (column + width > columns) {
        column = 0
        row++
      }
    }
    for (let r = row; r < row + height; r++)
      for (let c = column; c < column + width; c++) taken.add(r * columns + c)
    return { row, column }
  })
}

/** Sizes that can be read from across a room, whatever they are at a desk. */
const onWall = (tile: DashboardTile): DashboardTile =>
  tile.kind === 'kpi'
    ? { ...tile, width: Math.max(4, tile.width), height: Math.min(2, tile.height) }
    : { ...tile, width: Math.max(6, tile.width), height: 2 }

/** A dashboard as screens of at most some rows, each of which fits without scrolling. */
export function screens(tiles: readonly DashboardTile[], rows = 4): DashboardTile[][] {
  const found: DashboardTile[][] = []
  let screen: DashboardTile[] = []
  for (const tile of tiles.map(onWall)) {
    const tried = [...screen, tile]
    const cells = pack(tried)
    const high = Math.max(...tried.map((one, i) => (cells[i]?.row ?? 0) + one.height))
    if (high > rows && screen.length > 0) {
      found.push(screen)
      screen = [tile]
    } else screen = tried
  }
  return screen.length > 0 ? [...found, screen] : found
}

export interface Room extends Cell {
  tile: DashboardTile
  width: number
  height: number
}

/** Where the tiles of a screen stand, each grown to the right and then down into what would be left empty. */
export function arrange(tiles: readonly DashboardTile[]): Room[] {
  const cells = pack(tiles)
  const rows = rowsOf(tiles)
  const rooms = tiles.map((tile, i) => ({
    tile,
    width: tile.width,
    height: tile.height,
    ...(cells[i] ?? { row: 0, column: 0 }),
  }))
  const free = (own: Room, right: number, bottom: number) =>
    right <= columns &&
    bottom <= rows &&
    rooms.every(
      (other) =>
        other === own ||
        other.column >= right ||
        other.row >= bottom ||
        other.column + other.width <= own.column ||
        other.row + other.height <= own.row,
    )
  for (const room of rooms) {
    while (free(room, room.column + room.width + 1, room.row + room.height)) room.width++
    while (free(room, room.column + room.width, room.row + room.height + 1)) room.height++
  }
  return rooms
}

/** How many rows a screen needs. */
export function rowsOf(tiles: readonly DashboardTile[]): number {
  const cells = pack(tiles)
  return Math.max(1, ...tiles.map((tile, i) => (cells[i]?.row ?? 0) + tile.height))
}

/** A name that no other tile has. */
export function freshId(tiles: readonly DashboardTile[]): string {
  let i = tiles.length + 1
  while (tiles.some((tile) => tile.id === `t${i}`)) i++
  return `t${i}`
}

const sizes: Record<DashboardTile['kind'], [width: number, height: number]> = {
  kpi: [3, 1],
  chart: [6, 3],
  automation: [8, 3],
  freshness: [4, 2],
  note: [4, 1],
}

/** A new tile of a kind, at the end. */
export function append(
  tiles: readonly DashboardTile[],
  kind: DashboardTile['kind'],
  content: { kpi?: string; text?: string },
): readonly DashboardTile[] {
  const [width, height] = sizes[kind]
  return [
    ...tiles,
    {
      id: freshId(tiles),
      kind,
      width,
      height,
      kpi: content.kpi ?? null,
      text: content.text ?? null,
      sources: null,
    },
  ]
}
