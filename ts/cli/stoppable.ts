import { mkdir, rmdir } from 'node:fs/promises'
import { occupy } from '../occupied.js'
import type { Context } from './command.js'
import { EXIT } from './exit-codes.js'
import { calledOff, watchInterruption } from './signals.js'

/**
 * Runs what goes on where it was stopped when the same command is given again, alone in its folder. Resolves to the exit code.
 *
 * @throws {@link SagetrainError} `ERR_STATE` where another process is at work in the folder; what `body` throws.
 */
export async function stoppable(folder: string, context: Context, body: (folder: string, signal: AbortSignal) => Promise<void>): Promise<number> {
  using interruption = watchInterruption((signal) => context.terminal.line(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: finishing the step and saving; once more to exit at once.`))
  try {
    await mkdir(folder, { recursive: true })
    using occupied = await occupy(folder, 'lock')
    await body(occupied.folder, interruption.signal)
    return interruption.exitCode() ?? EXIT.ok
  } catch (error) {
    if (!calledOff(error, interruption.signal)) throw error
    context.terminal.line(`Stopped. The same command goes on: npx ${context.written}`)
    return interruption.exitCode() ?? EXIT.error
  } finally {
    // Succeeds only where nothing was begun: what is refused leaves no folder.
    await rmdir(folder).catch(() => undefined)
  }
}
