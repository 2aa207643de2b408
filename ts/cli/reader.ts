let gone = false

/**
 * A reader that has seen enough (`| head`) is no fault of an output: what nobody reads is dropped, and training goes on.
 * Node keeps such an error to itself: {@link hasNoReader} remembers it.
 */
export function watchReader(output: NodeJS.WriteStream): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (output === process.stdout) gone = true
  })
}

/** Whether who read standard output has gone: work of which only the output is wanted can end. */
export function hasNoReader(): boolean {
  return gone
}
