// A checkout in a temporary folder with the real set-up in it, and in place of npm, cargo, pip and the compiler small
// programs that leave what the real ones would, note that they were called, and fail in the real ones' words when told to.
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { ExecutionContext } from 'ava'

import { realPython, toolSource } from './fake-tools.js'
import { wheelFiles, zip } from './fake-wheels.js'

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
}

const tools = ['npm', 'python3', 'cargo', 'c++'] as const
export type Tool = (typeof tools)[number]

/** One user's machine: a home with its cache, a PATH, a package index; and any number of checkouts. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'sagetrain-set-up-'))
  readonly cache = join(this.folder, 'cache/sagetrain')
  readonly #bin = join(this.folder, 'bin')
  readonly #log = join(this.folder, 'calls.log')

  constructor(t: ExecutionContext) {
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }))
    mkdirSync(this.#bin)
    for (const tool of tools) this.replaceTool(tool, toolSource(tool))
    mkdirSync(join(this.folder, 'index'))
    for (const { file, content } of this.wheels) writeFileSync(join(this.folder, 'index', file), content)
    writeFileSync(this.#log, '')
  }

  /** The wheels of this machine's index: named as the real ones, with a few bytes each. */
  readonly wheels = Object.entries(wheelFiles).map(([file, entries]) => ({ file, content: zip(entries) }))

  replaceTool(tool: Tool, source: string): void {
    const path = join(this.#bin, tool)
    writeFileSync(path, source)
    chmodSync(path, 0o755)
  }

  removeTool(tool: Tool): void {
    rmSync(join(this.#bin, tool))
  }

  /** Copies the set-up under test into a new checkout. */
  checkout(name = 'checkout'): string {
    const root = join(this.folder, name)
    cpSync('ts/setup', join(root, 'ts/setup'), { recursive: true })
    cpSync('ts/cli/run.schema.json', join(root, 'ts/cli/run.schema.json'))
    writeFileSync(join(root, 'ts/setup/wheels.mjs'), this.#wheelTable(root))
    for (const [path, text] of Object.entries(checkoutFiles)) {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return root
  }

  /** The real table with the sizes and hashes of this machine's wheels. */
  #wheelTable(root: string): string {
    const text = readFileSync(join(root, 'ts/setup/wheels.mjs'), 'utf8')
    return this.wheels.reduce((table, { file, content }) => {
      const hash = createHash('sha256').update(content).digest('hex')
      return table.replace(new RegExp(`(file: '${file}',.*?bytes: )[\\d_]+(,.*?sha256: ')[0-9a-f]+`, 's'), `$1${content.length}$2${hash}`)
    }, text)
  }

  /** Starts a command of package.json in a checkout. */
  launch(root: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const child = spawn(process.execPath, [join(root, 'ts/setup/main.mjs'), ...args], {
      env: { PATH: this.#bin, HOME: this.folder, XDG_CACHE_HOME: join(this.folder, 'cache'), SANDBOX: this.folder, REAL_PYTHON: realPython, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { child, ended: collect(child) }
  }

  run(root: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.launch(root, args, env).ended
  }

  /** What the tools were asked for so far, a call each. */
  calls(): string[] {
    return readFileSync(this.#log, 'utf8').split('\n').filter(Boolean)
  }
}

function collect(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => (texts.stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (texts.stderr += data.toString()))
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...texts })))
}

const checkoutFiles: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "sagetrain", "type": "module" }',
  'package-lock.json': '{}',
  'Cargo.toml': '[workspace.package]\nrust-version = "1.95"\n',
  'Cargo.lock': '',
  'tsconfig.base.json': '{}',
  'bindings/cpp/exports.d.ts': 'export declare function runtime(): object\n',
  'bindings/src/lib.rs': '',
  'crates/kernels/src/lib.rs': '',
  'ts/index.ts': '',
  'ts/cli/main.ts': '',
  'cli.mjs': '',
}
