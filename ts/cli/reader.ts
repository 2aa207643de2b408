let gone = false
let refused = false

/**
 * A reader that has seen enough (`| head`) is no fault of an output: what nobody reads is dropped, and training goes on. So it does where
 * the output is a file on a full disk, which is said once and makes the command fail in the end. Node keeps such errors to itself:
 * {@link hasNoReader} and {@link hasRefusedOutput} remember them.
 */
export function watchReader(output: NodeJS.WriteStream): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (output === process.stdout) gone = true
    if (error.code === 'EPIPE' || refused) return
    refused = true
    if (output === process.stdout) process.stderr.write(`sagetrain: standard output cannot be written (${error.message}); what it was to hold is lost from here on (ERR_IO)\n`)
  })
}

/** Whether who read standard output has gone, or it takes no more: work of which only the output is wanted can end. */
export function hasNoReader(): boolean {
  return gone
}

/** Whether an output took no more although somebody may read it. */
export function hasRefusedOutput(): boolean {
  return refused
}
