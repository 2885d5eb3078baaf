// Keeps the page itself for when the network is gone. Never an answer of the API: numbers are kept by the page, which forgets them when somebody signs out.
// Built by plugin.ts, which puts in the version, the files that belong to it, and the script that index.html starts with.
const version = '__VERSION__'
const files = __FILES__
const entry = '__ENTRY__'
const prefix = 'kpi-page-'
const own = prefix + version
/** How long a page may be on its way before the kept one is shown, in milliseconds. */
const patience = 4000

// All or nothing: where one file is missing (a new version is just being put up) the version before goes on.
self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(own)
      await cache.addAll(
        files.map(
          (file) =>
            new Request(file, { cache: file.startsWith('/assets/') ? 'default' : 'reload' }),
        ),
      )
      const html = await (await cache.match('/index.html')).text()
      if (!html.includes(entry)) {
        await caches.delete(own)
        throw new Error('index.html is of another version.')
      }
      await self.skipWaiting()
    })(),
  )
})

// A tab that is open may still load parts of the version before, so that one stays; older ones go.
self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const others = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== own)
      await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)))
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (/^\/(api|admin)(\/|$)/.test(pathname)) return
  if (request.mode === 'navigate') event.respondWith(page(request))
  else if (pathname.startsWith('/assets/')) event.respondWith(asset(request))
  else if (files.includes(pathname))
    event.respondWith(
      fetch(request).catch(async (error) => (await caches.match(request)) ?? Promise.reject(error)),
    )
})

/** The newest page there is; without a network, or when it takes too long, the kept one. */
async function page(request) {
  const kept = () => caches.open(own).then((cache) => cache.match('/index.html'))
  const fresh = fetch(request)
  const late = new Promise((done) => setTimeout(done, patience))
  try {
    return (await Promise.race([fresh, late])) ?? (await kept()) ?? (await fresh)
  } catch (error) {
    return (await kept()) ?? Promise.reject(error)
  }
}

/** Names of assets hold a hash of what is in them: whichever version kept one, it is the right one. */
async function asset(request) {
  return (await caches.match(request)) ?? fetch(request)
}
