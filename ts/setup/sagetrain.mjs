#!/usr/bin/env node
// What `npx sagetrain` runs: the compiled command line. A checkout that is not set up has none yet, but the doctor needs nothing.

const cli = new URL('../../dist/cli/main.js', import.meta.url)

import(cli.href).catch(async (error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  if (process.argv[2] === 'doctor') await import('./main.mjs')
  else {
    process.stderr.write('sagetrain: this checkout is not set up yet: run `npm run setup` (`npx sagetrain doctor` says what is missing).\n')
    process.exitCode = 1
  }
})
