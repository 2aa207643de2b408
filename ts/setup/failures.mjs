// What can stop set-up: each failure is one line that says what is wrong and what to do, and has its own exit code.

/** Exit codes of set-up. 130 and 143 mean Ctrl-C and SIGTERM. */
export const exitCodes = Object.freeze({
  /** A build step or a test failed; its own output says why. */
  build: 1,
  /** The command line was not understood. */
  usage: 2,
  /** Not Linux on x64 with glibc 2.28 or newer. */
  platform: 10,
  /** Node is older than 20.19. */
  node: 11,
  npm: 12,
  /** No python3; needed only to obtain libtorch. */
  python: 13,
  pip: 14,
  cargo: 15,
  /** cargo is older than the crates' `rust-version`. */
  rust: 16,
  compiler: 17,
  /** The network cannot be reached and what is needed is not in a cache. */
  network: 18,
  /** A downloaded file is not the one that was published. */
  checksum: 19,
  /** `LIBTORCH` names no libtorch, or another version. */
  libtorch: 20,
  disk: 21,
  /** A file or folder cannot be written. */
  access: 22,
})

/** @typedef {keyof typeof exitCodes} FailureKind */

/** Stops set-up with one line: what is wrong and the remedy. */
export class SetupFailure extends Error {
  /**
   * @param {FailureKind} kind
   * @param {string} problem what is wrong, with the value found
   * @param {string} remedy what to do about it
   */
  constructor(kind, problem, remedy) {
    super(`${problem}: ${remedy}.`)
    this.name = 'SetupFailure'
    this.kind = kind
    this.remedy = remedy
  }

  get exitCode() {
    return exitCodes[this.kind]
  }
}

/** @type {readonly [pattern: RegExp, kind: 'disk' | 'network' | 'access'][]} */
const signs = [
  [/ENOSPC|No space left on device|os error 28\b|EDQUOT|Disk quota exceeded/i, 'disk'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|NewConnectionError|Name or service not known|Temporary failure in name resolution|Could not resolve host|Network is unreachable|Failed to establish a new connection|Connection (refused|timed out|reset)|Read timed out|ReadTimeoutError|spurious network error|network failure seems to have happened|ProxyError/i,
    'network',
  ],
  [/EACCES|EPERM|EROFS|ENOTDIR|Permission denied|Read-only file system/i, 'access'],
]

/**
 * The failure that a tool's output or a system error speaks of, when it is one with a remedy of its own.
 *
 * @param {string} text the tool's output, or the error's message
 * @param {string} doing what was being done, as a noun phrase
 * @param {string} place the folder that was being written
 * @returns {SetupFailure | undefined}
 */
export function recogniseFailure(text, doing, place) {
  const kind = signs.find(([pattern]) => pattern.test(text))?.[1]
  if (kind === 'disk') return diskFull(doing, place)
  if (kind === 'network') {
    return new SetupFailure('network', `${doing}: no network, and not in the cache`, 'connect (or set HTTPS_PROXY) and run the command again, finished parts are kept')
  }
  if (kind === 'access') return new SetupFailure('access', `${doing}: ${place} cannot be written (${text.split('\n', 1)[0]})`, 'make it a writable folder')
  return undefined
}

/**
 * @param {string} doing
 * @param {string} place the folder that is on the full disk
 * @param {string} [figures] needed and free, when known
 */
export function diskFull(doing, place, figures = '') {
  return new SetupFailure('disk', `${doing}: the disk that holds ${place} is full${figures}`, 'free some space (or move the cache with XDG_CACHE_HOME) and run the command again')
}
