import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

const template = new URL('sw.js', import.meta.url)
const publicFolder = new URL('../public/', import.meta.url)
// What the server reads, and a picture that only an iPhone's home screen asks for.
const left = ['staticwebapp.config.json', 'icon-180.png', 'icon-512.png']

/** Builds `/sw.js`: the template with the list of everything that this version of the page is made of. */
export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const built = Object.values(bundle).filter(
          (file) => !/^\.vite\/|\.map$/.test(file.fileName),
        )
        const html = built.find((file) => file.fileName === 'index.html')
        const start = built.find((file) => file.type === 'chunk' && file.isEntry)
        if (html?.type !== 'asset' || !start) this.error('The build has no index.html or no entry.')
        const others = readdirSync(publicFolder).filter((name) => !left.includes(name))
        const files = [...built.map((file) => file.fileName), ...others]
          .sort()
          .map((name) => `/${name}`)
        const source = readFileSync(template, 'utf8')
        const hash = createHash('sha256').update(source).update(files.join()).update(html.source)
        for (const name of others) hash.update(readFileSync(new URL(name, publicFolder)))
        this.emitFile({
          type: 'asset',
          fileName: 'sw.js',
          source: source
            .replace('__VERSION__', hash.digest('hex').slice(0, 16))
            .replace('__FILES__', JSON.stringify(files))
            .replace('__ENTRY__', start.fileName),
        })
      },
    },
  }
}
