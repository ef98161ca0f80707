// Publishes one upload: node publish.mjs ID FILE-OR-URL
import { readFile } from 'node:fs/promises'
import { connect, headers } from '@nats-io/transport-node'
import { jetstream } from '@nats-io/jetstream'

const [id, what] = process.argv.slice(2)
const nc = await connect({ servers: process.env.NATS_URL })
const js = jetstream(nc)

const h = headers()
let body
if (what.includes('://')) {
  h.set('Content-Type', 'application/json')
  body = JSON.stringify({ id, url: what, uploader: 'u-17' })
} else {
  body = await readFile(what)
}
// Waits until the stream has stored it. A second try with the same msgID stores nothing.
await js.publish('uploads.example', body, { headers: h, msgID: id })
await nc.drain()
