import { doctorLines } from '../setup/doctor-text.mjs'
import { doctor as look } from '../setup/doctor.mjs'
import type { Command } from './command.js'
import { EXIT, UsageError } from './exit-codes.js'

export const doctor: Command = {
  name: 'doctor',
  usage: 'sagetrain doctor [--json]',
  about: 'looks at the machine, the tools and libtorch, and loads the addon in a child process',
  options: {},
  examples: () => ['npx sagetrain doctor'],
  run: async ({ positionals }, context) => {
    if (positionals.length > 0) throw new UsageError(`doctor takes no words, got ${positionals.join(' ')}`)
    const report = await look()
    for (const line of doctorLines(report)) context.terminal.line(line)
    context.json(report)
    return report.ok ? EXIT.ok : EXIT.error
  },
}
