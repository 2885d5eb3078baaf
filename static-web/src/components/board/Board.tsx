import type { CSSProperties } from 'react'
import type { DashboardTile } from '../../api/types'
import { boards } from '../../messages-boards'
import { TileBody, tileName, type BoardNumbers } from './TileBody'

/** Twelve columns on a desk, six on a tablet, two on a phone; always in the same order. */
export const gridClass =
  'board mt-6 grid grid-cols-2 gap-x-6 gap-y-6 sm:grid-cols-6 lg:auto-rows-[minmax(7.5rem,auto)] lg:grid-cols-12 lg:gap-x-8'

/** The room of a tile, for each of the three grids. */
export function roomOf(tile: DashboardTile): { className: string; style: CSSProperties } {
  const small = tile.kind === 'kpi' && tile.width <= 6
  return {
    className: `${small ? 'col-span-1' : 'col-span-2'} min-w-0 sm:[grid-column:span_var(--medium)] lg:[grid-column:span_var(--wide)] lg:[grid-row:span_var(--rows)]`,
    style: {
      '--wide': tile.width,
      '--medium': small
        ? Math.max(2, Math.ceil(tile.width / 2))
        : tile.width > 6
          ? 6
          : tile.kind === 'chart'
            ? 6
            : 3,
      '--rows': tile.height,
      // What is left of the rows for the picture, beside the words around it.
      '--chart': `${Math.max(6, tile.height * 7.5 + (tile.height - 1) * 1.5 - 9.5)}rem`,
    } as CSSProperties,
  }
}

/** A dashboard to look at. */
export function Board({
  tiles,
  numbers,
}: {
  tiles: readonly DashboardTile[]
  numbers: BoardNumbers
}) {
  return (
    <ul aria-label={boards.title} className={gridClass}>
      {tiles.map((tile) => {
        const room = roomOf(tile)
        return (
          <li
            key={tile.id}
            aria-label={tileName(tile, numbers)}
            className={`${room.className} border-t border-line pt-2.5`}
            style={room.style}
          >
            <TileBody tile={tile} numbers={numbers} />
          </li>
        )
      })}
    </ul>
  )
}
