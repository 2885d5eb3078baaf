import { tokenColours } from './tokens'

interface Words {
  /** What the picture shows. */
  title: string
  /** Period, business, how fresh: whatever must not be separated from it. */
  lines?: readonly string[]
  /** Name of the file, without its ending. */
  file: string
}

const margin = 32
const scale = 2

/** A canvas that holds the picture of a chart under its title, on the page's own ground, twice as fine as on screen. */
export function drawChart(source: HTMLCanvasElement, { title, lines = [] }: Words) {
  const { surface, ink, muted, font } = tokenColours()
  const box = source.getBoundingClientRect()
  const width = Math.max(1, Math.round(box.width || source.width))
  const height = Math.max(1, Math.round(box.height || source.height))
  const head = 34
  const foot = lines.length > 0 ? 12 + lines.length * 20 : 0
  const canvas = document.createElement('canvas')
  canvas.width = (width + 2 * margin) * scale
  canvas.height = (height + head + foot + 2 * margin) * scale
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('This browser cannot draw the picture.')
  pen.scale(scale, scale)
  pen.fillStyle = surface
  pen.fillRect(0, 0, width + 2 * margin, height + head + foot + 2 * margin)
  pen.fillStyle = ink
  pen.font = `600 18px ${font}`
  pen.textBaseline = 'top'
  pen.fillText(title, margin, margin, width)
  pen.drawImage(source, margin, margin + head, width, height)
  pen.fillStyle = muted
  pen.font = `13px ${font}`
  lines.forEach((line, i) => {
    pen.fillText(line, margin, margin + head + height + 12 + i * 20, width)
  })
  return canvas
}

/**
 * Saves the chart in a part of the page as a PNG file, with a title and what must be said of it. Works on what is drawn, so theme and size are those
 * of the screen.
 * @throws Error when there is no drawn chart, or the browser cannot make the picture.
 */
export async function saveChartAsPng(within: ParentNode, words: Words): Promise<void> {
  const source = within.querySelector('canvas')
  if (!source) throw new Error('There is no chart to save yet.')
  const canvas = drawChart(source, words)
  const blob = await new Promise<Blob | null>((done) => {
    canvas.toBlob(done, 'image/png')
  })
  if (!blob) throw new Error('This browser cannot make the picture.')
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = `${words.file.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.png`
  link.click()
  // The download has begun by then.
  setTimeout(() => {
    URL.revokeObjectURL(link.href)
  }, 10_000)
}
