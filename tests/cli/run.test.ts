import test from 'ava'
import type { Command } from '#ts/cli/command.js'
import { UsageError } from '#ts/cli/exit-codes.js'
import { runCommand } from '#ts/cli/run.js'

const echo: Command = {
  name: 'echo',
  usage: 'sagetrain echo',
  about: 'says what it was asked',
  options: {},
  examples: () => ['sagetrain echo'],
  run: async ({ positionals, options }, context) => {
    if (positionals.length > 0) throw new UsageError('no words')
    context.terminal.line('for people')
    context.json({ json: options['json'], written: context.written })
    return 0
  },
}

async function sagetrain(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(args, { commands: [echo], tasks: new Map(), version: '1.2.3', stdout: { write: (text) => out.push(text) }, stderr: { write: (text) => err.push(text) }, environment: {}, versions: () => [] })
  return { code, out: out.join(''), err: err.join('') }
}

test('--json is on however it is written, for results and for errors', async (t) => {
  for (const on of ['--json', '--json=true']) {
    const { out, err } = await sagetrain('echo', on)
    t.deepEqual([JSON.parse(out).json, err], [true, 'for people\n'], on)
    t.regex((await sagetrain('echo', 'word', on)).out, /^\{"error":/, on)
  }
  for (const off of [['--json=false'], ['--json', '--json=false'], []]) t.is((await sagetrain('echo', ...off)).out, 'for people\n', off.join(' '))
  t.is((await sagetrain('echo', '--', '--json')).out, '')
})

test('a failure is told to a program with a code', async (t) => {
  t.deepEqual(JSON.parse((await sagetrain('echo', 'word', '--json')).out), { error: { code: 'ERR_USAGE', message: 'no words', fields: {} } })
  t.is(JSON.parse((await sagetrain('echo', '--nothing', '--json')).out).error.code, 'ERR_USAGE')
})

test('--help is on however it is written', async (t) => {
  for (const on of ['--help', '--help=true', '-h']) t.regex((await sagetrain('echo', on)).out, /^sagetrain echo: says/, on)
  t.is((await sagetrain('echo', '--help=false')).out, 'for people\n')
})

test('the command line is kept as a shell would read it', async (t) => {
  const words = ['runs/a,b-1', 'my data/train.de', "it's", '{"a":1}']
  const written: string[] = []
  const keeping: Command = { ...echo, run: async (_args, context) => written.push(context.written) && 0 }
  await runCommand(['echo', ...words], { commands: [keeping], tasks: new Map(), version: '', stdout: { write: () => undefined }, stderr: { write: () => undefined }, environment: {}, versions: () => [] })
  t.deepEqual(written, [String.raw`sagetrain echo runs/a,b-1 'my data/train.de' 'it'\''s' '{"a":1}'`])
})
