import { isSagetrainError } from '../errors.js'
import { EXIT } from './exit-codes.js'

/** The two ways to be asked to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/** Watches for Ctrl-C and SIGTERM while something runs that can stop in good order. */
export interface Interruption extends Disposable {
  /** Aborted at the first signal. */
  readonly signal: AbortSignal
  /** The exit code that says which signal it was; undefined where there was none. */
  exitCode(): number | undefined
}

function codeOf(signal: StopSignal): number {
  return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
}

/** npm and `timeout` hand on a signal that the process has had already, as one of their group: within this time it is the same one. */
const SAME_SIGNAL_MS = 400

/**
 * The first signal asks for a good end through {@link Interruption.signal}; the second exits at once.
 *
 * @param onFirst told which signal it was, to say what happens now
 */
export function watchInterruption(onFirst: (signal: StopSignal) => void): Interruption {
  const controller = new AbortController()
  let [first, at]: [StopSignal | undefined, number] = [undefined, 0]
  const handle = (signal: StopSignal): void => {
    if (first !== undefined) {
      if (performance.now() - at > SAME_SIGNAL_MS) process.exit(codeOf(signal))
      return
    }
    ;[first, at] = [signal, performance.now()]
    onFirst(signal)
    controller.abort(new Error(`stopped by ${signal}`))
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return {
    signal: controller.signal,
    exitCode: () => (first === undefined ? undefined : codeOf(first)),
    [Symbol.dispose]() {
      process.off('SIGINT', handle)
      process.off('SIGTERM', handle)
    },
  }
}

/** Whether an error only says that the signal called off what was under way; a fault while saving is one all the same. */
export function calledOff(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || isSagetrainError(error, 'ERR_ABORTED'))
}
