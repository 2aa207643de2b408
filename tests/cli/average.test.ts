import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { start } from './process.js'
import { temporaryFolder } from '../temporary.js'

const TRAIN = ['train', 'spiral', '--optimizer', 'adam', '--optimizer.lr', '1e-2', '--samples', '200', '--validSamples', '50', '--steps', '12', '--evaluation.everySteps', '2', '--threads', '1']

test('a run’s newest and best are averaged, and its resumption proven', async (t) => {
  const cwd = temporaryFolder(t)
  const run = async (...args: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> => start(cwd, args).ended
  const trained = await run(...TRAIN, '--checkpoint.keep', '3', '--checkpoint.keepBest', '2')
  t.is(trained.code, 0, trained.err)

  const last = await run('average', 'runs/spiral', '--last', '3', '--output', 'last', '--json')
  t.is(last.code, 0, last.err)
  t.deepEqual((JSON.parse(last.out) as { from: string[] }).from.map((path) => path.split('/').at(-2)), ['step-00000008', 'step-00000010', 'step-00000012'])
  t.true(existsSync(join(cwd, 'last/model.safetensors')) && existsSync(join(cwd, 'last/config.json')))
  t.is((await run('average', 'runs/spiral', '--best', '2', '--output', 'best')).code, 0)

  const few = await run('average', 'runs/spiral', '--last', '9', '--output', 'few')
  t.deepEqual([few.code, /checkpoint\.keep 9/.test(few.err + few.out)], [2, true])
  t.is((await run('average', 'runs/spiral', '--last', '3', '--output', 'last')).code, 2, 'the folder is taken')
  t.is((await run('average', 'runs/spiral')).code, 2)

  const verified = await run('verify-resume', 'runs/spiral', '--steps', '3', '--json')
  t.is(verified.code, 0, verified.err)
  const certificate = JSON.parse(verified.out) as { equal: boolean; steps: number; replayed: { batches: number } }
  t.deepEqual([certificate.equal, certificate.steps, certificate.replayed.batches], [true, 3, 2])
  const table = await run('verify-resume', join('runs/spiral/checkpoints', readdirSync(join(cwd, 'runs/spiral/checkpoints')).toSorted()[0] ?? ''))
  t.is(table.code, 0, table.err)
  t.regex(table.out, /optimizer state\s+[0-9a-f]{16}\s+[0-9a-f]{16}\s+equal/)
  t.regex(table.out, /The same to the last bit/)
  t.is((await run('verify-resume')).code, 2)
})
