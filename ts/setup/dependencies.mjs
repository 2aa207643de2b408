// npm's packages, exactly as the lockfile names them. None runs an install script.
import { join } from 'node:path'

import { run } from './child.mjs'
import { recogniseFailure, SetupFailure } from './failures.mjs'
import { root } from './paths.mjs'
import { hashInputs, isCurrent, replaceFile } from './stamps.mjs'

const stamp = join(root, 'node_modules/.sagetrain-stamp')
const currentHash = () => hashInputs(root, ['package-lock.json'])

// npm's own retries would keep a machine without a network waiting for ten minutes.
const flags =
  '--ignore-scripts --include=dev --include=optional --prefer-offline --no-audit --no-fund --loglevel=error ' +
  '--fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000'

export const areDependenciesCurrent = () => isCurrent(stamp, currentHash(), [])

export async function installDependencies() {
  const { code, output } = await run('npm', ['ci', ...flags.split(' ')], { cwd: root })
  if (code !== 0) {
    const recognised = recogniseFailure(output, 'npm ci', root)
    if (recognised) throw recognised
    process.stderr.write(output)
    throw new SetupFailure('build', 'npm ci failed', 'see what npm says above')
  }
  replaceFile(stamp, currentHash())
}
