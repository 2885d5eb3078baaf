import { describe, expect, it } from 'vitest'
import type { DashboardTile } from '../api/types'
import {
  append,
  arrange,
  freshId,
  narrowing,
  narrowings,
  mostTiles,
  pack,
  place,
  rowsOf,
  screens,
  size,
  step,
} from './boards'

const tile = (id: string, width = 3, height = 1): DashboardTile => ({
  id,
  kind: 'kpi',
  width,
  height,
  kpi: 'web.sessions',
  text: null,
  sources: null,
})
const ids = (tiles: readonly DashboardTile[]) => tiles.map((one) => one.id).join('')
const four = [tile('a'), tile('b'), tile('c'), tile('d')]

describe('moving a tile', () => {
  it.each([
    ['a', 2, 'bcad'],
    ['d', 0, 'dabc'],
    ['b', 99, 'acdb'],
    ['c', -1, 'cabd'],
    ['a', 0, 'abcd'],
    ['x', 1, 'abcd'],
  ])('%s to %i gives %s', (id, to, expected) => {
    expect(ids(place(four, id, to))).toBe(expected)
  })

  it('goes by one tile to the left and right, and stops at the ends', () => {
    expect(ids(step(four, 'b', 'left'))).toBe('bacd')
    expect(ids(step(four, 'b', 'right'))).toBe('acbd')
    expect(step(four, 'a', 'left')).toBe(four)
    expect(step(four, 'd', 'right')).toBe(four)
  })

  it('goes by a row up and down, to the column nearest to its own', () => {
    const rows = [tile('a', 6), tile('b', 6), tile('c', 6), tile('d', 6), tile('e', 6)]
    expect(ids(step(rows, 'd', 'up'))).toBe('adbce')
    expect(ids(step(rows, 'a', 'down'))).toBe('bcade')
    expect(ids(step(rows, 'b', 'up'))).toBe('bacde')
    expect(ids(step(rows, 'e', 'down'))).toBe('abcde')
  })
})

describe('sizes', () => {
  it.each([
    [5, 2, 5, 2],
    [1, 0, 2, 1],
    [40, 9, 12, 6],
    [4.4, 1.6, 4, 2],
  ])('%d × %d becomes %i × %i', (width, height, w, h) => {
    expect(size(four, 'b', width, height)[1]).toMatchObject({ width: w, height: h })
  })
})

describe('the grid', () => {
  it('places tiles in order, never overlapping and never back', () => {
    const cells = pack([tile('a', 8, 2), tile('b', 4, 1), tile('c', 6, 1), tile('d', 3, 1)])
    expect(cells).toEqual([
      { row: 0, column: 0 },
      { row: 0, column: 8 },
      { row: 2, column: 0 },
      { row: 2, column: 6 },
    ])
  })

  it('never overlaps, for many made-up layouts', () => {
    let seed = 7
    const random = (most: number) => (seed = (seed * 16807) % 2147483647) % most
    for (let round = 0; round < 200; round++) {
      const tiles = Array.from({ length: 1 + random(mostTiles) }, (_, i) =>
        tile(`t${i}`, 2 + random(11), 1 + random(6)),
      )
      const seen = new Set<string>()
      pack(tiles).forEach((cell, i) => {
        const { width = 0, height = 0 } = tiles[i] ?? {}
        if (cell.column + width > 12) throw new Error(`${i} is too far right`)
        for (let r = 0; r < height; r++)
          for (let c = 0; c < width; c++) {
            const at = `${cell.row + r},${cell.column + c}`
            if (seen.has(at)) throw new Error(`${i} overlaps at ${at}`)
            seen.add(at)
          }
      })
      expect(seen.size).toBe(tiles.reduce((sum, one) => sum + one.width * one.height, 0))
    }
  })
})

describe('a wall screen', () => {
  it('makes numbers at least a third wide and splits what does not fit', () => {
    const many = Array.from({ length: 14 }, (_, i) => tile(String.fromCharCode(97 + i)))
    const split = screens(many)
    expect(split.map(ids)).toEqual(['abcdefghijkl', 'mn'])
    expect(split.flat().every((one) => one.width >= 4)).toBe(true)
    expect(split.every((screen) => rowsOf(screen) <= 4)).toBe(true)
  })

  it('leaves no room empty where a tile can grow into it', () => {
    const rooms = arrange([
      tile('a', 4),
      tile('b', 4),
      tile('c', 4),
      tile('d', 4),
      { ...tile('e', 6, 2), kind: 'chart' },
    ])
    expect(rooms.map(({ column, row, width, height }) => [column, row, width, height])).toEqual([
      [0, 0, 4, 1],
      [4, 0, 4, 1],
      [8, 0, 4, 1],
      [0, 1, 4, 2],
      [4, 1, 8, 2],
    ])
  })

  it('has none for a dashboard without tiles', () => {
    expect(screens([])).toEqual([])
  })
})

describe('a new tile', () => {
  it('comes last under a name of its own', () => {
    const tiles = append([tile('t2'), tile('t3')], 'note', { text: 'x' })
    expect(tiles[2]).toEqual({
      id: 't4',
      kind: 'note',
      width: 4,
      height: 1,
      kpi: null,
      text: 'x',
      sources: null,
    })
    expect(freshId([tile('t2')])).toBe('t3')
  })
})

describe('what tiles are narrowed to', () => {
  const of = (...sources: string[]) => ({ ...tile('a'), sources })
  const known = ['north', 'south', 'push'].map((id) => ({ id }))

  it('is one and the same in whatever order it is named', () => {
    expect(narrowing(of('south', 'north'))).toBe('north,south')
    expect(narrowing(of('south', 'north'))).toBe(narrowing(of('north', 'south')))
    expect(narrowing(tile('a'))).toBe('')
  })

  it('is nothing in a tile that was saved before tiles could be', () => {
    expect(narrowing({})).toBe('')
  })

  it('is asked for once, and not at all where a source of it is gone', () => {
    const tiles = [tile('a'), of('north'), of('north'), of('push', 'south'), of('north', 'gone')]
    expect(narrowings(tiles, known)).toEqual(['north', 'push,south'])
    expect(narrowings(tiles, [])).toEqual([])
  })
})
