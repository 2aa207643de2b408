#!/usr/bin/env node
// What package.json's scripts run. Nothing is installed or compiled yet when it starts.
// This file alone must parse on an old Node, so that an old Node gets a sentence and not a syntax error.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const recent = major > 20 || (major === 20 && minor >= 19)

if (recent) {
  import('./command.mjs').then((command) => command.main(process.argv.slice(2)))
} else {
  process.stderr.write(
    'sagetrain: Node ' + process.versions.node + ' is too old, 20.19 or newer is needed: ' +
    'install one from https://nodejs.org or with `nvm install 22`.\n',
  )
  process.exitCode = 11 // failures.mjs: exitCodes.node
}
