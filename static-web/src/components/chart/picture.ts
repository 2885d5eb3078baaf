interface Words {
  title: string
  subtitle: string
  footer: string
}

/** A drawn chart as a picture that can stand alone: with its name, its value and days above, and where it comes from below. */
export async function pictureOf(chart: HTMLCanvasElement, words: Words): Promise<Blob | null> {
  const scale = chart.width / chart.clientWidth
  const [pad, above, below] = [24 * scale, 76 * scale, 36 * scale]
  const paper = document.createElement('canvas')
  paper.width = chart.width + 2 * pad
  paper.height = chart.height + above + below + pad
  const pen = paper.getContext('2d')
  if (!pen) return null
  const css = getComputedStyle(document.documentElement)
  const font = getComputedStyle(document.body).fontFamily
  const write = (text: string, y: number, size: number, weight: number, token: string) => {
    pen.font = `${weight} ${size * scale}px ${font}`
    pen.fillStyle = css.getPropertyValue(token).trim()
    pen.fillText(text, pad, y * scale, chart.width)
  }
  pen.fillStyle = css.getPropertyValue('--surface').trim()
  pen.fillRect(0, 0, paper.width, paper.height)
  write(words.title, 38, 18, 600, '--ink')
  write(words.subtitle, 62, 13, 400, '--muted')
  pen.drawImage(chart, pad, above + pad / 2)
  write(words.footer, paper.height / scale - 18, 12, 400, '--muted')
  return new Promise((done) => {
    paper.toBlob(done, 'image/png')
  })
}
