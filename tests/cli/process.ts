import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(import.meta.resolve('#ts/cli/main.js'))

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** A command that runs. */
export interface Going {
  readonly ended: Promise<Ended>
  /** Resolves when the output so far matches, or the command has ended. */
  seen(pattern: RegExp): Promise<void>
  write(input: string): void
  kill(signal: NodeJS.Signals): void
}

/** Starts the command as a user does: in a process of its own, with the addon. With `input: null` its standard input stays open. */
export function start(cwd: string, args: readonly string[], input: string | null = ''): Going {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' } })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  if (input !== null) child.stdin.end(input)
  const ended = new Promise<Ended>((resolve) => void child.on('close', (code, signal) => resolve({ code, signal, out, err })))
  const seen = async (pattern: RegExp): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- polling
    while (!pattern.test(out) && child.exitCode === null && child.signalCode === null) await setTimeout(20)
  }
  return { ended, seen, write: (text) => void child.stdin.write(text), kill: (signal) => void child.kill(signal) }
}
