// Sentences a second of the IWSLT model over the sentences that are searched together, for several beams, drawn as an SVG.
//
//   node benches/decoding-sweep.mjs docs/decoding.svg [--tokens 24] [--json]
//
// Fresh weights, float32, every output exactly as long as its source; each point is the best of three rounds, since what disturbs a
// round only slows it.
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { drawChart } from '#ts/report/chart.js'
import { THEME_CSS } from '#ts/report/theme.js'
import { loaded } from './iwslt-model.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { tokens: { type: 'string', default: '24' }, json: { type: 'boolean', default: false } } })
const [file] = positionals
if (file === undefined) throw new Error('name the SVG file to write')
const tokens = Number(values.tokens)
const together = [1, 2, 4, 8, 16, 32, 64, 96, 128]
const beams = [1, 2, 4, 8]
const ROUNDS = 3

const { translator, sources, dispose } = await loaded(tokens, together.at(-1))
const found = []
for (const beam of beams)
  for (const count of together) {
    const seconds = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = performance.now()
      await translator.search(sources.slice(0, count), { beam, minLength: tokens, maxLength: tokens + 1 })
      seconds.push((performance.now() - start) / 1000)
    }
    found.push({ beam, together: count, sentencesPerSecond: count / Math.min(...seconds) })
  }
await dispose()

const series = beams.map((beam, tone) => ({
  label: beam === 1 ? 'greedy' : `beam ${beam}`,
  tone,
  dots: true,
  points: found.filter((one) => one.beam === beam).map((one) => [one.together, one.sentencesPerSecond]),
}))
const title = 'Decoding speed'
const description = `Sentences a second over sentences searched together: transformer-iwslt, ${tokens} tokens in and out, float32, ${availableParallelism()} threads`
const { svg } = drawChart({ id: 'decoding', title, description, x: { label: 'sentences together' }, y: { label: 'sentences/s' }, series })
await writeFile(file, `${String(svg).replace('<title', `<style>${THEME_CSS}</style>\n<title`)}\n`)
if (values.json) console.log(JSON.stringify(found))
else console.table(Object.fromEntries(beams.map((beam) => [`beam ${beam}`, Object.fromEntries(found.filter((one) => one.beam === beam).map((one) => [one.together, Number(one.sentencesPerSecond.toFixed(1))]))])))
