// Subscribes to incidents: prints a line an event, and keeps what is open in a LevelDB folder.
//
//     npm ci
//     node subscriber.mjs SERVERS STATE
//
// Environment: TOPIC_PREFIX (portquorum), GROUP (my-service), KAFKA_USERNAME, KAFKA_PASSWORD,
// KAFKA_SASL_MECHANISM (PLAIN), KAFKA_TLS=1, KAFKA_CA (a PEM file; means TLS).

import { readFileSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import { Kafka, logLevel } from 'kafkajs'

const [servers, statePath] = process.argv.slice(2)
if (!statePath) {
  console.error('node subscriber.mjs SERVERS STATE')
  process.exit(2)
}
const { env } = process
const prefix = env.TOPIC_PREFIX ?? 'portquorum'
const groupId = env.GROUP ?? 'my-service'
const INCIDENTS = `${prefix}.incidents`
const OPEN = `${prefix}.incidents.open`
const OVERLAP_MS = 600_000 // [incidents.open] may be behind [incidents] by this much
// Each type that this program knows, whole: what a later `v2` brings is another type.
const TYPE =
  /^portquorum\.(?:incident\.(opened|updated|improved|worsened|closed)|(region\.(?:silent|returned|suspect|cleared|clock_skewed|secrets_missing|secrets_found)|targets\.(?:unwatched|watched)))\.v1$/
// A state, which others end, begins or goes on with each word but these; a skewed clock is no state.
const NOT_OPEN = [
  ...['closed', 'region.returned', 'region.cleared', 'region.clock_skewed', 'region.secrets_found'],
  'targets.watched',
]

const utf8 = new TextDecoder('utf-8', { fatal: true })

// The event; null for a type that this program doesn't know; throws if it can't be read.
function read(message) {
  const header = (name) => {
    const value = message.headers?.[name]
    if (!Buffer.isBuffer(value)) throw new Error(`no header ${name}, or several`)
    return utf8.decode(value)
  }
  if (header('ce_specversion') !== '1.0') throw new Error('ce_specversion is not 1.0')
  const id = anId(header('ce_id'))
  const subject = header('ce_subject')
  const known = TYPE.exec(header('ce_type'))
  if (!known) return null
  const isIncident = known[1] !== undefined
  if (message.value === null) throw new Error('no value')
  const json = utf8.decode(message.value)
  const event = JSON.parse(json)
  const needed = { at: 'number', summary: 'string' }
  if (isIncident) Object.assign(needed, { incident_id: 'string', regions: 'object' })
  for (const [name, type] of Object.entries(needed)) {
    if (event === null || typeof event[name] !== type || event[name] === null) {
      throw new Error(`${name} is not a ${type}`)
    }
  }
  if (!Number.isSafeInteger(event.at)) throw new Error('at is not milliseconds')
  const place = event.host ? `${event.host}:${event.port}` : subject
  const down = isIncident
    ? Object.entries(event.regions).filter(([, region]) => region.verdict === 'down')
    : []
  const failing = down.map(([name]) => name).join(',') || '-'
  // Whatever a server said may be in it: no control character reaches the terminal.
  const line = `${place} ${failing} ${event.summary} [${id}]`.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')
  const word = known[1] ?? known[2]
  return { id, word, line, at: event.at, about: anId(about(word, event)), json }
}

// The state that the event replaces: its incident, a partition's targets, or a region's.
function about(word, event) {
  if (word.startsWith('targets.')) {
    if (!Number.isSafeInteger(event.partition)) throw new Error('partition is not a number')
    return `unwatched/${event.partition}`
  }
  if (word === 'region.clock_skewed') return event.event_id
  if (!word.startsWith('region.')) return event.incident_id
  if (typeof event.region !== 'string') throw new Error('region is not a string')
  if (['region.silent', 'region.returned'].includes(word)) return `silent/${event.region}`
  return `${word.startsWith('region.secrets_') ? 'secrets' : 'suspect'}/${event.region}`
}

function anId(text) {
  if (!/^[!-~]{1,200}$/.test(text)) throw new Error('an id is empty, too long or no ASCII')
  return text
}

function readOrSkip(topic, partition, message) {
  try {
    return read(message)
  } catch (why) {
    console.error(`skipped ${topic}/${partition}@${message.offset}: ${why.message}`)
    return null
  }
}

// Waits until the line is written; console.log does not, when the reader of a pipe is slow, and a kill
// then takes lines with it whose events are remembered as done.
const print = (line) =>
  new Promise((done, failed) => {
    process.stdout.write(`${line}\n`, (error) => (error ? failed(error) : done()))
  })

const db = new ClassicLevel(statePath)
const asJson = { valueEncoding: 'json' }
const handled = db.sublevel('handled', asJson)
const states = db.sublevel('states', asJson)
const settings = db.sublevel('settings', asJson)

// What the database must take: the event's id, and its state unless an `at` there is larger.
async function taken(event) {
  if ((await handled.get(event.id)) !== undefined) return { isNews: false, batch: [] }
  const { id, at, word, about, json } = event
  const state = await states.get(about)
  const isNews = !state || at >= state.at
  const batch = [{ type: 'put', sublevel: handled, key: id, value: at }]
  const value = { id, at, open: !NOT_OPEN.includes(word), event: json }
  if (isNews) batch.push({ type: 'put', sublevel: states, key: about, value })
  return { isNews, batch }
}

// Does the event's work and remembers its id, in one batch: in effect exactly once.
async function handle(event) {
  const { isNews, batch } = await taken(event)
  // Your work. If it is a call of another service, give it ce_id as idempotency key.
  if (isNews) await print(`${event.word} ${event.line}`)
  await db.batch(batch, { sync: true })
}

// What is open now, from [incidents.open]; the group's first offsets of [incidents].
// The offsets are taken first, so that nothing falls between the two topics.
async function bootstrap(kafka) {
  const admin = kafka.admin()
  await admin.connect()
  // The ends first: what is written between the two requests must not be left out.
  const noted = await admin.fetchTopicOffsets(INCIDENTS)
  const high = new Map(noted.map((p) => [p.partition, p.high]))
  const found = await admin.fetchTopicOffsetsByTimestamp(INCIDENTS, Date.now() - OVERLAP_MS)
  const partitions = found.map(({ partition, offset }) => {
    const isLater = BigInt(offset) > BigInt(high.get(partition))
    return { partition, offset: isLater ? high.get(partition) : offset }
  })
  await commitStart(admin, partitions)

  // kafkajs reads by groups alone: one of its own, which never commits and so begins anew.
  const consumer = kafka.consumer({ groupId: `${groupId}.open`, sessionTimeout: 10_000 })
  await consumer.connect()
  await consumer.subscribe({ topic: OPEN, fromBeginning: true })
  const ends = await admin.fetchTopicOffsets(OPEN)
  const left = new Map(ends.filter((p) => p.low !== p.high).map((p) => [p.partition, p.high]))
  const newest = new Map()
  await new Promise((resolve, reject) => {
    if (left.size === 0) return resolve()
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) {
            const key = message.key?.toString()
            const event = message.value && readOrSkip(OPEN, batch.partition, message)
            if (event) newest.set(key, event)
            else if (message.value === null) newest.delete(key)
          }
          const end = left.get(batch.partition)
          if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= BigInt(end)) {
            left.delete(batch.partition)
          }
          if (left.size === 0) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  await admin.disconnect()
  const batch = [{ type: 'put', sublevel: settings, key: 'bootstrapped', value: true }]
  for (const event of newest.values()) {
    const one = await taken(event)
    if (one.isNews) await print(`open ${event.line}`)
    batch.push(...one.batch)
  }
  await db.batch(batch, { sync: true })
}

// Commits for the group, once it has no member: one that was killed stays for some seconds.
async function commitStart(admin, partitions) {
  for (;;) {
    try {
      return await admin.setOffsets({ groupId, topic: INCIDENTS, partitions })
    } catch (error) {
      if (!error.message.includes('must have no running instances')) throw error
      console.error(`waits: the group ${groupId} still has a member`)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}

function connection() {
  const tls = env.KAFKA_TLS || env.KAFKA_CA
  const options = { brokers: servers.split(','), clientId: groupId, logLevel: logLevel.ERROR }
  if (tls) options.ssl = env.KAFKA_CA ? { ca: [readFileSync(env.KAFKA_CA)] } : true
  if (env.KAFKA_USERNAME) {
    options.sasl = {
      mechanism: (env.KAFKA_SASL_MECHANISM ?? 'PLAIN').toLowerCase(),
      username: env.KAFKA_USERNAME,
      password: env.KAFKA_PASSWORD,
    }
  }
  return options
}

async function main() {
  const kafka = new Kafka(connection())
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 2_000 })
  let ending = false
  const end = async (code) => {
    if (ending) return
    ending = true
    // Waits until the event in hand is done.
    await consumer.disconnect().catch(() => {})
    const count = (await handled.keys().all()).length
    const all = await states.iterator().all()
    const open = all.filter(([, state]) => state.open).map(([id]) => ` ${id}`)
    await db.close()
    await print(`handled ${count} open${open.join('')}`)
    process.exit(code)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(0))

  await db.open()
  if (!(await settings.get('bootstrapped'))) await bootstrap(kafka)
  if (ending) return
  await consumer.connect()
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) end(1)
  })
  await consumer.subscribe({ topic: INCIDENTS, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, heartbeat, isRunning, isStale, resolveOffset }) => {
      const { partition } = batch
      for (const message of batch.messages) {
        if (!isRunning() || isStale()) break
        const event = readOrSkip(INCIDENTS, partition, message)
        if (event) await handle(event)
        // Only what is done is committed.
        resolveOffset(message.offset)
        const offset = String(BigInt(message.offset) + 1n)
        await consumer.commitOffsets([{ topic: INCIDENTS, partition, offset }])
        await heartbeat()
      }
    },
  })
}

main().catch((error) => {
  console.error(`subscriber: ${error.stack}`)
  process.exit(1)
})
