import { afterEach, expect, it, vi } from 'vitest'
import { saveChartAsPng } from './chartPng'

const words = { title: 'Revenue', lines: ['1–28 Nov', 'Shop'], file: 'Revenue: last 28 days' }

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  document.body.innerHTML = ''
})

it('says so when there is no chart', async () => {
  await expect(saveChartAsPng(document.body, words)).rejects.toThrow('no chart')
})

it('draws ground, title, chart and lines, and offers them under a plain file name', async () => {
  const said: string[] = []
  const drawn: unknown[] = []
  const pen = {
    scale: vi.fn(),
    fillRect: (...box: number[]) => drawn.push(box),
    fillText: (text: string) => said.push(text),
    drawImage: (source: unknown) => drawn.push(source),
  }
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(pen as never)
  vi.spyOn(HTMLCanvasElement.prototype, 'toBlob').mockImplementation(function (
    this: HTMLCanvasElement,
    done,
  ) {
    drawn.push([this.width, this.height])
    done(new Blob(['png'], { type: 'image/png' }))
  })
  const urls = { createObjectURL: vi.fn(() => 'blob:x'), revokeObjectURL: vi.fn() }
  vi.stubGlobal('URL', Object.assign(URL, urls))
  const saved: string[] = []
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    saved.push(`${this.href} ${this.download}`)
  })
  document.body.innerHTML = '<div><canvas width="400" height="200"></canvas></div>'
  await saveChartAsPng(document.body, words)
  expect(said).toEqual(['Revenue', '1–28 Nov', 'Shop'])
  expect(drawn[1]).toBe(document.querySelector('canvas'))
  // (400 + 2 × 32) × 2 wide; 200 + head 34 + foot 52 + 64, doubled, high.
  expect(drawn[2]).toEqual([928, 700])
  expect(saved).toEqual(['blob:x Revenue-last-28-days.png'])
})
