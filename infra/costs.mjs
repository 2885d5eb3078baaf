// Prints what a month costs, as the table in docs/azure.md (a test compares). Change a price or an assumption here, run it, and put its output there.
// List prices in US dollars, without tax, reservations or free grants. `found` was read in a public source; all others are recalled: check them.
const price = {
  gbSecondOnDemand: 0.000026, // found, 2025-05
  gbSecondReady: 0.000004,
  gbSecondReadyActive: 0.000016,
  millionExecutions: 0.4,
  postgres: { Standard_B2s: 50, Standard_D2ds_v5: 130, Standard_D16ds_v5: 1040 },
  postgresGb: 0.115,
  backupGb: 0.095,
  staticWebApp: 9, // found
  webGb: 0.2, // found; 100 GB are included
  logGb: 2.3, // 5 GB are included
  queueOperations10k: 0.004,
  webtest: 0.0006,
  alertFiveMinutes: 1.5,
  alertQuarter: 0.5,
  privateEndpoint: 7.3,
  dnsZone: 0.5,
}

// Of one business on one day. 30 messages: a daily sync of two connectors, what they continue with, refreshes and mails.
const day = { messages: 30, secondsPerMessage: 6, queueOperations: 6, requests: 60, secondsPerRequest: 0.1, visitsMb: 0.6 }
const days = 30
const gb = 2 // instance memory

const sizes = [
  { tenants: 10, sku: 'Standard_B2s', servers: 1, diskGb: 32, backupCopies: 1, ready: 0, messagesAtOnce: 1, requestsAtOnce: 1, logGbPerDay: 0.1, webtests: 3 * 96, isPrivate: false },
  { tenants: 1_000, sku: 'Standard_D2ds_v5', servers: 2, diskGb: 128, backupCopies: 2, ready: 2, messagesAtOnce: 16, requestsAtOnce: 1, logGbPerDay: 0.8, webtests: 3 * 288, isPrivate: true },
  { tenants: 50_000, sku: 'Standard_D16ds_v5', servers: 2, diskGb: 2048, backupCopies: 2, ready: 4, messagesAtOnce: 16, requestsAtOnce: 4, logGbPerDay: 10, webtests: 3 * 288, isPrivate: true },
]

function month(size) {
  const timers = 5 * 288
  const messages = size.tenants * day.messages
  const requests = size.tenants * day.requests + size.webtests
  // An execution that nobody shares its instance with is billed for a second at least.
  const messageSeconds = (messages * day.secondsPerMessage) / size.messagesAtOnce
  const requestSeconds = requests * Math.max(day.secondsPerRequest / size.requestsAtOnce, size.ready > 0 ? 0 : 1)
  const onDemand = messageSeconds + timers + (size.ready > 0 ? 0 : requestSeconds)
  const lines = {
    'Function app': days * gb * (onDemand * price.gbSecondOnDemand + size.ready * 86_400 * price.gbSecondReady + (size.ready > 0 ? requestSeconds * price.gbSecondReadyActive : 0))
      + ((timers + messages + requests) * days * price.millionExecutions) / 1e6,
    'Postgres: server': size.servers * price.postgres[size.sku],
    'Postgres: disk, backups': size.diskGb * (size.servers * price.postgresGb + size.backupCopies * price.backupGb),
    'Static web app': price.staticWebApp + Math.max(0, (size.tenants * day.visitsMb * days) / 1000 - 100) * price.webGb,
    'Logs and metrics': Math.max(0, size.logGbPerDay * days - 5) * price.logGb,
    'Queues': (messages * day.queueOperations * days * price.queueOperations10k) / 10_000,
    'Alerts, availability test': 4 * price.alertFiveMinutes + 4 * price.alertQuarter + size.webtests * days * price.webtest,
    'Network': size.isPrivate ? price.privateEndpoint + price.dnsZone : 0,
  }
  return { ...lines, 'Sum': Object.values(lines).reduce((sum, line) => sum + line, 0) }
}

const columns = sizes.map(month)
const dollars = (value) => (value < 0.5 ? '< 1' : Math.round(value).toLocaleString('en-US'))
console.log(`| USD a month | ${sizes.map((size) => `${size.tenants.toLocaleString('en-US')} businesses`).join(' | ')} |`)
console.log(`| --- | ${sizes.map(() => '---:').join(' | ')} |`)
for (const line of Object.keys(columns[0])) console.log(`| ${line} | ${columns.map((column) => (column[line] === 0 ? '0' : dollars(column[line]))).join(' | ')} |`)
console.log(`| A business | ${columns.map((column, i) => (column.Sum / sizes[i].tenants).toFixed(2)).join(' | ')} |`)
