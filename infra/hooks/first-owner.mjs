// After `azd deploy`: waits until the app says that it is ready, and tells who deployed how the first owner comes in.
import { fail, required, retry } from './lib.mjs'

const web = required('KPI_WEB_URL')
const api = process.env.VITE_API_BASE || web
await retry(
  'health/ready',
  async () => {
    const answer = await fetch(`${api}/api/health/ready`, { signal: AbortSignal.timeout(30_000) })
    if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 300)}`)
  },
  { seconds: 15 },
).catch((error) => fail(`${error.message}\nThe runbook's section not-ready says where to look.`))

console.log(`\nReady: ${web}\nRegister the first business at ${web}/register; whoever registers is its owner.`)
if (!process.env.KPI_MAIL_HOST) console.log('No mail server is set (KPI_MAIL_HOST): mails wait in the outbox, and signing in again needs the link of one.')
