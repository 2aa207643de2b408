import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { SagetrainError } from '#ts/errors.js'
import { runCommand } from '#ts/cli/run.js'
import { search } from '#ts/cli/search.js'
import { scriptedTask, type Script } from './scripted-task.js'

test('every arm is tried at every rate, the best by validation is written with how it was found', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-search-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'run.json')
  await writeFile(file, JSON.stringify({ $schema: 'kept', task: 'scripted', train: { optimizer: { type: 'adam', lr: 1 }, steps: 20 }, compare: [{ name: 'adam' }, { name: 'adam-sage', train: { optimizer: { sage: {} } } }] }))
  const script: Script = { started: [], disposed: 0 }
  // Adam-SAGE diverges at the larger rate; Adam beside it must be measured all the same.
  script.onStep = (arm, step) => {
    const given = script.started.findLast(({ name }) => name === arm)
    if (arm === 'adam-sage' && JSON.stringify(given?.train).includes('"lr":0.004') && step === 12) throw new SagetrainError('ERR_NON_FINITE', 'loss: is NaN at step 12')
  }
  const out: string[] = []
  const code = await runCommand(['search', '--config', file, '--rates', '1e-3,4e-3', '--steps', '20', '--write', '--runs', folder], {
    commands: [search],
    tasks: new Map([['scripted', scriptedTask(script)]]),
    version: '0.0.0',
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => out.push(text) },
    environment: {},
    versions: () => [],
  })
  t.is(code, 0, out.join(''))
  const written = JSON.parse(await readFile(file, 'utf8'))
  t.is(written.$schema, 'kept')
  t.deepEqual(written.compare, [{ name: 'adam', train: { optimizer: { lr: 1e-3 } } }, { name: 'adam-sage', train: { optimizer: { sage: {}, lr: 1e-3 } } }])
  t.deepEqual(written.rates.trials, [
    { arm: 'adam', setting: 'lr 0.001', value: 20, chosen: true },
    { arm: 'adam-sage', setting: 'lr 0.001', value: 20, chosen: true },
    { arm: 'adam', setting: 'lr 0.004', value: 20, chosen: false },
    { arm: 'adam-sage', setting: 'lr 0.004', value: null, chosen: false },
  ])
  t.regex(written.rates.command, /^sagetrain search --config .* --rates 1e-3,4e-3 --steps 20 --write/)
  t.regex(written.rates.description, /with --steps 20, trained at each of lr 0\.001, 0\.004/)
})
