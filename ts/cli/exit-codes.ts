/** What the command's exit code says; stable, listed by `--help`. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Something failed; the message says what and what to do. */
  error: 1,
  /** The command line or the configuration was not understood; nothing was started. */
  usage: 2,
  /** Ctrl-C (SIGINT). Training had saved a checkpoint, unless a second signal ended it at once. */
  interrupted: 130,
  /** SIGTERM, likewise. */
  terminated: 143,
} as const

/** The same, as `--help` prints it. */
export const EXIT_CODES = `Exit codes:
  0    done
  1    something failed; the message says what and what to do
  2    the command line or the configuration was not understood; nothing was started
  130  Ctrl-C: the step was finished, a checkpoint saved and the command to resume printed (a second Ctrl-C exits at once)
  143  SIGTERM, likewise`

/** A fault in how the command was called: its message is printed without a stack, and the exit code is {@link EXIT.usage}. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
