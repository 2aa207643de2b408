// Training speed and peak memory over the model's width, 6 + 6 layers from d 256 to Transformer-base (d 512), drawn as two SVGs.
//
//   node benches/sizes.mjs docs [--python VENV/bin/python] [--precision float32] [--steps 2] [--rounds 2] [--json]
//
// 4,096 tokens a batch and 37,000 logits at every width. What is drawn is the rate of the matrix products' arithmetic: three products for each
// parameter of a matrix (forward, and two backward), where a batch has as many source as target tokens. Memory is the whole process's.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { drawChart } from '#ts/report/chart.js'
import { THEME_CSS } from '#ts/report/theme.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    steps: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const [folder] = positionals
if (folder === undefined) throw new Error('name the folder to write training-speed.svg and training-memory.svg to')
const throughput = join(dirname(fileURLToPath(import.meta.url)), 'throughput.mjs')
const widths = [256, 320, 384, 448, 512]
const shown = { 'sagetrain (Node)': 'sagetrain', 'PyTorch loop': 'PyTorch' }

const found = []
for (const width of widths) {
  const { python, precision, steps, rounds } = values
  const options = { size: `d${width}`, precision, steps, warmup: '1', rounds, ...(python && { python }) }
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value])
  const { stdout } = await promisify(execFile)(process.execPath, [throughput, ...args, '--json'], { maxBuffer: 1 << 26 })
  const { rows } = JSON.parse(stdout)
  for (const row of rows) if (row.system in shown) found.push({ width, system: shown[row.system], tokensPerSecond: row['target tokens/s'], gflops: rate(width, row['target tokens/s']), peakGiB: row['peak GiB'] })
}

/** 10⁹ floating-point operations a second. */
function rate(width, tokensPerSecond) {
  const [encoder, decoder, output] = [6 * 12 * width * width, 6 * 16 * width * width, 37_000 * width]
  return (3 * 2 * (encoder + decoder + output) * tokensPerSecond) / 1e9
}

async function draw(name, title, unit, key) {
  const systems = [...new Set(found.map(({ system }) => system))]
  const series = systems.map((label, tone) => ({ label, tone, dots: true, points: found.filter(({ system }) => system === label).map((one) => [one.width, one[key]]) }))
  const description = `${title} over the model's width, 6 + 6 layers, 4,096 tokens a batch, ${values.precision}, 2 threads`
  const { svg } = drawChart({ id: name, title, description, x: { label: 'd' }, y: { label: unit }, series })
  await writeFile(join(folder, `${name}.svg`), `${String(svg).replace('<title', `<style>${THEME_CSS}</style>\n<title`)}\n`)
}

await draw('training-speed', 'Training speed', 'GFLOP/s', 'gflops')
await draw('training-memory', 'Peak memory', 'GiB', 'peakGiB')
if (values.json) console.log(JSON.stringify(found))
else console.table(found)
