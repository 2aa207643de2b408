import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { temporaryFolder } from '../temporary.js'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What a clone has that npx looks at. */
function bareCheckout(t: ExecutionContext): string {
  const root = join(temporaryFolder(t), 'sagetrain')
  for (const path of ['package.json', 'package-lock.json', '.npmrc', 'ts/setup']) cpSync(path, join(root, path), { recursive: true })
  return root
}

/** The machine's own npx, with a cache of its own and no network. */
function npx(root: string, ...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, npm_config_cache: join(root, '../npm'), npm_config_offline: 'true', npm_config_audit: 'false' }
  return new Promise((resolve) => {
    execFile('npx', ['sagetrain', ...args], { cwd: root, env }, (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }))
  })
}

test('npx finds the doctor in a bare checkout, and leaves the checkout as it is', async (t) => {
  const root = bareCheckout(t)
  const { code, stdout, stderr } = await npx(root, 'doctor')
  t.is(code, 1, stderr)
  t.regex(stdout, /^ {2}node +\d+\.[^]*^✗ addon +missing: run `npm run setup`$[^]*Training cannot run here yet\.\n$/m)
  t.false((JSON.parse((await npx(root, 'doctor', '--json')).stdout) as { readonly ok: boolean }).ok)
  t.false(existsSync(join(root, 'node_modules')))
  t.is(statSync('ts/setup/sagetrain.mjs').mode & 0o111, 0o111, 'npx would make it executable: a change to commit')
})

test('other commands say what to do first', async (t) => {
  const { code, stdout, stderr } = await npx(bareCheckout(t), 'train', 'spiral')
  t.deepEqual([code, stdout], [1, ''])
  t.regex(stderr, /^sagetrain: this checkout is not set up yet: run `npm run setup`/m)
})

test('once there is a command line, npx runs that, and its errors are its own', async (t) => {
  const root = bareCheckout(t)
  mkdirSync(join(root, 'dist/cli'), { recursive: true })
  writeFileSync(join(root, 'dist/cli/main.js'), 'console.log(process.argv.slice(2).join())')
  t.is((await npx(root, 'doctor', '--json')).stdout, 'doctor,--json\n')
  writeFileSync(join(root, 'dist/cli/main.js'), 'throw new Error("out of order")')
  t.regex((await npx(root, 'doctor')).stderr, /out of order/)
})

test('a package has the file that its bin names', (t) => {
  const { bin, files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly bin: Readonly<Record<string, string>>; readonly files: readonly string[] }
  t.true(files.includes(bin['sagetrain'] ?? ''))
})
