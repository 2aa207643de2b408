// Decoding speed of the IWSLT model with a beam: sagetrain from Node, transformers' generate and CTranslate2 on the same model and
// sentences, in one run.
//
//   node benches/decoding.mjs [--python VENV/bin/python] [--rounds 5] [--threads 2] [--beam 5] [--sentences 64] [--tokens 24] [--json]
//
// The weights are fresh: what a step costs does not depend on them, and every output is made exactly as long as its source. Rounds
// alternate between the systems; ratios are medians of those within a round. peers/README.md says how to make the peers' environment.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Translator } from 'sagetrain'
import { save } from './iwslt-model.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    beam: { type: 'string', default: '5' },
    sentences: { type: 'string', default: '64' },
    tokens: { type: 'string', default: '24' },
    json: { type: 'boolean', default: false },
  },
})
const [rounds, threads, beam, count, tokens] = ['rounds', 'threads', 'beam', 'sentences', 'tokens'].map((key) => Number(values[key]))

/** A peer that stays loaded and decodes once for every line it is sent. */
function peer(engine, saved, input) {
  const args = [join(here, 'peers', 'decoding.py'), engine, saved, input, '--threads', `${threads}`, '--beam', `${beam}`, '--tokens', `${tokens}`]
  const child = spawn(values.python, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${engine} ended`)
    return JSON.parse(value)
  }
  return {
    ready: next(),
    round: async () => {
      child.stdin.write('\n')
      return next()
    },
    end: () => child.stdin.end(),
  }
}

async function main(folder) {
  const { saved, sources } = await save(folder, tokens, count)
  const input = join(folder, 'sources.txt')
  await writeFile(input, sources.map((source) => `${source}\n`).join(''))
  const translator = await Translator.load(saved)
  const search = { beam, minLength: tokens, maxLength: tokens + 1 }
  const own = async () => {
    const start = performance.now()
    const outputs = (await translator.search(sources, search)).map(([best]) => best.text)
    return { seconds: (performance.now() - start) / 1000, outputs }
  }
  const peers = values.python === undefined ? {} : { transformers: peer('transformers', saved, input), CTranslate2: peer('ctranslate2', saved, input) }
  for (const system of Object.values(peers)) await system.ready
  const systems = { sagetrain: own, ...Object.fromEntries(Object.entries(peers).map(([name, { round }]) => [name, round])) }
  const results = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  await own()
  for (let round = 0; round < rounds; round += 1) for (const [name, decode] of Object.entries(systems)) results[name].push(await decode())
  for (const { end } of Object.values(peers)) end()
  report(results)
}

function report(results) {
  const [ours] = results.sagetrain
  const rows = Object.entries(results).map(([system, all]) => ({
    system,
    seconds: Number(median(all.map(({ seconds }) => seconds)).toFixed(3)),
    'sentences/s': Number((count / median(all.map(({ seconds }) => seconds))).toFixed(1)),
    'time / sagetrain': Number(median(all.map(({ seconds }, round) => seconds / results.sagetrain[round].seconds)).toFixed(3)),
    'same outputs': all[0].outputs.filter((output, index) => output === ours.outputs[index]).length,
  }))
  if (values.json) return console.log(JSON.stringify({ rounds, threads, beam, sentences: count, tokens, rows, results }))
  console.log(`transformer-iwslt, float32, ${threads} threads, beam ${beam}, ${count} sentences × ${tokens} tokens, ${rounds} rounds`)
  console.table(rows)
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

const folder = await mkdtemp(join(tmpdir(), 'sagetrain-decoding-'))
try {
  await main(folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
