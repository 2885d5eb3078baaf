import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HtmlTagDescriptor, Plugin } from 'vite'

const file = new URL('start.js', import.meta.url)
// What the first screen needs next: asked for with the page instead of by its code.
const next = /\/src\/pages\/overview\/Details\.tsx$/

/**
 * Puts start.js in front of everything, under a name with a hash so that it is asked for once per version, and has the overview's second part
 * and the letters fetched along.
 */
export function start(): Plugin {
  const source = readFileSync(file, 'utf8').replace('__API__', process.env.VITE_API_BASE ?? '')
  const hash = createHash('sha256').update(source).digest('base64url').slice(0, 8)
  let path = `/assets/start-${hash}.js`
  return {
    name: 'start',
    configResolved({ command }) {
      if (command === 'serve') path = '/start.js'
    },
    configureServer({ middlewares }) {
      middlewares.use(path, (_, response) => {
        response.setHeader('Content-Type', 'text/javascript').end(source)
      })
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: path.slice(1), source })
    },
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle }) {
        const tags: HtmlTagDescriptor[] = [
          { tag: 'script', attrs: { src: path, fetchpriority: 'high' }, injectTo: 'head-prepend' },
        ]
        if (!bundle) return tags
        const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
        const first = chunks.find((chunk) => chunk.isEntry)
        const wanted = chunks.find((chunk) => chunk.moduleIds.some((id) => next.test(id)))
        if (!first || !wanted) throw new Error('The build has no entry, or no Details.tsx.')
        const known = new Set<string>()
        const walk = (name: string) => {
          if (known.has(name)) return
          known.add(name)
          chunks.find((chunk) => chunk.fileName === name)?.imports.forEach(walk)
        }
        walk(first.fileName)
        const before = new Set(known)
        walk(wanted.fileName)
        for (const name of known)
          if (!before.has(name))
            tags.push({
              tag: 'link',
              attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` },
              injectTo: 'head',
            })
        // The letters come with the code, so that the first picture has them already: a page never changes its letters under the reader (font-display: optional).
        const font = Object.keys(bundle).find((name) => name.endsWith('.woff2'))
        if (!font) throw new Error('The build has no font.')
        tags.push({
          tag: 'link',
          attrs: {
            rel: 'preload',
            as: 'font',
            type: 'font/woff2',
            crossorigin: true,
            href: `/${font}`,
          },
          injectTo: 'head',
        })
        return tags
      },
    },
  }
}
