// What a good engineer writes in an afternoon for the same job: bytes in a JetStream stream -> sharp -> ONNX Runtime ->
// vector -> ack. One process a core, since onnxruntime-node computes on the thread that asks; pictures of the next batch are
// decoded on libuv's threads meanwhile.
//
// Environment: NATS_URL, STREAM, DURABLE, RESULTS (subject of the vectors), MODEL (file), PROCESSES, BATCH.
import cluster from 'node:cluster'
import process from 'node:process'

const { NATS_URL, STREAM, DURABLE, RESULTS, MODEL } = process.env
const processes = Number(process.env.PROCESSES ?? 2)
const batchSize = Number(process.env.BATCH ?? 16)

if (cluster.isPrimary) {
  let ready = 0
  cluster.on('message', () => {
    if (++ready === processes) console.log('ready')
  })
  for (let i = 0; i < processes; i++) cluster.fork({ UV_THREADPOOL_SIZE: '2' })
  const stop = () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL')
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  cluster.on('exit', () => process.exit(1))
} else {
  await work()
}

async function work() {
  const [{ default: sharp }, ort, { connect }, { jetstream }] = await Promise.all([
    import('sharp'), import('onnxruntime-node'), import('@nats-io/transport-node'), import('@nats-io/jetstream'),
  ])
  sharp.cache(false) // every picture is another one
  sharp.concurrency(1) // pictures side by side rather than threads on one picture

  const session = await ort.InferenceSession.create(MODEL, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })

  const side = 224
  const plane = side * side
  const mean = [0.48145466, 0.4578275, 0.40821073]
  const std = [0.26862954, 0.26130258, 0.27577711]
  // 8-bit value -> normalised float, one table a colour
  const tables = mean.map((m, c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255 - m) / std[c]))
  const [red, green, blue] = tables

  const decode = (bytes) =>
    sharp(bytes, { failOn: 'error' })
      .rotate()
      .resize(side, side, { fit: 'cover', position: 'centre', kernel: 'cubic' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer()

  const input = new Float32Array(batchSize * 3 * plane)
  const fill = (at, rgb) => {
    let r = at * 3 * plane
    let g = r + plane
    let b = g + plane
    for (let i = 0; i < rgb.length; i += 3) {
      input[r++] = red[rgb[i]]
      input[g++] = green[rgb[i + 1]]
      input[b++] = blue[rgb[i + 2]]
    }
  }

  const nc = await connect({ servers: NATS_URL })
  const finish = async (batch) => {
    const pixels = await Promise.all(batch.map((upload) => upload.pixels))
    pixels.forEach((rgb, i) => fill(i, rgb))
    const tensor = new ort.Tensor('float32', input.subarray(0, batch.length * 3 * plane), [batch.length, 3, side, side])
    const { image_embeds: output } = await session.run({ pixel_values: tensor })
    const width = output.dims[1]
    batch.forEach(({ message }, i) => {
      const vector = output.data.slice(i * width, (i + 1) * width)
      const length = Math.hypot(...vector)
      for (let k = 0; k < width; k++) vector[k] /= length
      nc.publish(RESULTS, new Uint8Array(vector.buffer))
      message.ack()
    })
  }

  await finish(Array.from({ length: batchSize }, () => ({
    pixels: Promise.resolve(new Uint8Array(3 * plane).fill(128)),
    message: { ack() {} },
  })))

  // Pulled by bytes: pictures of megabytes would else pass what the server holds for a client, which then cuts it off.
  const consumer = await jetstream(nc).consumers.get(STREAM, DURABLE)
  const messages = await consumer.consume({ max_bytes: 32 << 20 })
  process.send('ready')

  // Two batches are in hand: one is computed while the other is decoded.
  let open = []
  let computing = Promise.resolve()
  let timer
  const close = async () => {
    clearTimeout(timer)
    timer = undefined
    const batch = open
    open = []
    if (batch.length === 0) return
    const before = computing
    computing = before.then(() => finish(batch))
    await before
  }
  for await (const message of messages) {
    open.push({ message, pixels: decode(message.data) })
    timer ??= setTimeout(close, 10)
    if (open.length === batchSize) await close()
  }
}
