// npm's packages, exactly as the lockfile names them. None runs an install script.
import { join } from 'node:path'

import { run } from './child.mjs'
import { recogniseFailure, SetupFailure } from './failures.mjs'
import { root } from './paths.mjs'
import { hashInputs, isCurrent, replaceFile } from './stamps.mjs'

const stamp = join(root, 'node_modules/.sagetrain-stamp')
const currentHash = () => hashInputs(root, ['package-lock.json'])

export const areDependenciesCurrent = () => isCurrent(stamp, currentHash(), [])

export async function installDependencies() {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, output } = await run('npm', args, { cwd: root })
  if (code !== 0) {
    const recognised = recogniseFailure(output, 'npm ci', root)
    if (recognised) throw recognised
    process.stderr.write(output)
    throw new SetupFailure('build', 'npm ci failed', 'see what npm says above')
  }
  replaceFile(stamp, currentHash())
}
