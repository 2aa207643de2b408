#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { EXIT } from './exit-codes.js'
import { hasRefusedOutput, watchReader } from './reader.js'
import { COMMANDS, TASKS } from './registry.js'
import { runCommand } from './run.js'
import { versionFacts } from './versions.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }

for (const output of [process.stdout, process.stderr]) watchReader(output)

const code = await runCommand(process.argv.slice(2), {
  commands: COMMANDS,
  tasks: TASKS,
  version,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  versions: () => versionFacts(version),
})
process.exitCode = code === EXIT.ok && hasRefusedOutput() ? EXIT.error : code
