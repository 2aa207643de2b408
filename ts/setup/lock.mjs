// One set-up at a time: a lock is a file that names the process that holds it.
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** @typedef {{ pid: number, started: string, host: string }} Holder */

/** A holder on another host (a shared home) cannot be asked whether it lives; it shows so by touching its file. */
const heartbeatMs = 5_000
const silentMs = 12 * heartbeatMs

/**
 * When the process began, in clock ticks since boot: tells a living holder from a stranger that got its number.
 *
 * @param {number} pid
 * @returns {string} empty when there is no such process, or only what is left of one until its parent asks
 */
function processStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return /[ZX]/.test(fields[0] ?? '') ? '' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

/** @returns {Holder} */
const self = () => ({ pid: process.pid, started: processStart(process.pid), host: hostname() })

/**
 * @param {string} path
 * @returns {Holder | undefined} undefined when the lock is gone
 */
function readHolder(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // Created and not yet written: the writer is about to name itself, or died in between and falls silent.
    return error instanceof SyntaxError ? { pid: 0, started: '', host: '' } : undefined
  }
}

/**
 * @param {string} path
 * @param {Holder} holder
 */
function isStale(path, holder) {
  if (holder.host === hostname()) return processStart(holder.pid) !== holder.started
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  return modified !== undefined && Date.now() - modified > silentMs
}

/** @param {string} path */
function tryAcquire(path) {
  try {
    writeFileSync(path, JSON.stringify(self()), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Removes a dead holder's lock. Only one process at a time may do so, and it looks again first: else the slower of two
 * would remove the lock that the faster one has just taken.
 *
 * @param {string} path
 */
function removeStale(path) {
  const gate = `${path}.takeover`
  const since = statSync(gate, { throwIfNoEntry: false })?.mtimeMs
  if (since !== undefined && Date.now() - since > silentMs) rmSync(gate, { force: true })
  if (!tryAcquire(gate)) return
  try {
    const holder = readHolder(path)
    if (holder && isStale(path, holder)) rmSync(path, { force: true })
  } finally {
    rmSync(gate, { force: true })
  }
}

/** @param {string} path */
function touch(path) {
  try {
    utimesSync(path, new Date(), new Date())
  } catch {
    // Moved or removed with its folder: no reason to end what is being done.
  }
}

/**
 * Runs `body` while holding the lock, waiting for another holder to end.
 *
 * @template T
 * @param {string} path the lock file
 * @param {(holder: Holder) => void} onWait called once when another living process holds it
 * @param {() => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withLock(path, onWait, body) {
  const release = await holdLock(path, onWait)
  try {
    return await body()
  } finally {
    release()
  }
}

/**
 * Takes the lock, waiting for another holder to end; the result gives it back. It does not keep the process alive.
 *
 * @param {string} path the lock file
 * @param {(holder: Holder) => void} onWait called once when another living process holds it; what it throws ends the wait
 * @returns {Promise<() => void>}
 */
export async function holdLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true })
  await acquire(path, onWait)
  const lock = { path }
  if (held.size === 0) process.on('exit', removeHeld)
  held.add(lock)
  const heartbeat = setInterval(() => touch(path), heartbeatMs)
  heartbeat.unref()
  return () => {
    // A second time it may be another's lock.
    if (!held.delete(lock)) return
    if (held.size === 0) process.off('exit', removeHeld)
    clearInterval(heartbeat)
    rmSync(path, { force: true })
  }
}

/**
 * Locks of this process. One listener removes what is left of them at its end: runs side by side are as many as there are, and a listener each
 * would pass for a leak.
 *
 * @type {Set<{ readonly path: string }>}
 */
const held = new Set()

function removeHeld() {
  for (const { path } of held) rmSync(path, { force: true })
}

/**
 * @param {string} path
 * @param {(holder: Holder) => void} onWait
 */
async function acquire(path, onWait) {
  let told = false
  while (!tryAcquire(path)) {
    const holder = readHolder(path)
    if (holder && isStale(path, holder)) removeStale(path)
    else if (holder && !told) {
      told = true
      onWait(holder)
    }
    await sleep(100)
  }
}
