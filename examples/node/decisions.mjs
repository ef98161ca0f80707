// Prints each decision once: node decisions.mjs DURABLE
import { connect } from '@nats-io/transport-node'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'

const durable = process.argv[2]
const nc = await connect({ servers: process.env.NATS_URL })
const manager = await jetstreamManager(nc)
await manager.consumers.add('DECISIONS', { durable_name: durable, ack_policy: AckPolicy.Explicit })
const consumer = await jetstream(nc).consumers.get('DECISIONS', durable)

const seen = new Set() // in your program: a table whose primary key is the id
for await (const msg of await consumer.consume()) {
  const { id, subject } = msg.json() // and data, as docs/events.md lists it
  if (!seen.has(id)) {
    console.log(msg.subject, subject)
    seen.add(id)
  }
  await msg.ackAck() // after the work is done: what is not acknowledged comes again
}
