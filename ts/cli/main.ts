#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { COMMANDS, TASKS } from './registry.js'
import { runCommand } from './run.js'
import { versionFacts } from './versions.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }

// A reader that has seen enough (`| head`) is no fault: what nobody reads is dropped, and training goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await runCommand(process.argv.slice(2), {
  commands: COMMANDS,
  tasks: TASKS,
  version,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  versions: () => versionFacts(version),
})
