// Whether a step's outputs are up to date: a stamp beside them holds the hash of everything they were made from.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Folders that never hold a source. */
const skipped = new Set(['node_modules', 'target', 'dist', 'golden', '.git'])

/**
 * All files under `path` (or `path` itself) that `keep` accepts, in a fixed order.
 *
 * @param {string} path
 * @param {(path: string) => boolean} keep
 * @returns {string[]}
 */
export function listFiles(path, keep) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return []
  if (!stat.isDirectory()) return keep(path) ? [path] : []
  const names = readdirSync(path).filter((name) => !skipped.has(name))
  return names.toSorted().flatMap((name) => listFiles(join(path, name), keep))
}

/**
 * @param {string} folder that the inputs' names are relative to, so that a moved checkout keeps its stamps
 * @param {readonly string[]} inputs files and folders
 * @param {(path: string) => boolean} [keep]
 */
export function hashInputs(folder, inputs, keep = () => true) {
  const hash = createHash('sha256')
  for (const path of inputs.flatMap((input) => listFiles(join(folder, input), keep))) {
    const content = readFileSync(path)
    hash.update(`${path.slice(folder.length)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * @param {string} stamp
 * @param {string} hash
 * @param {readonly string[]} outputs that must exist too
 */
export function isCurrent(stamp, hash, outputs) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash && outputs.every((output) => existsSync(output))
}

/**
 * Writes a file in one step: a reader sees the old content or the new, never a part.
 *
 * @param {string} path
 * @param {string | Uint8Array} content
 */
export function replaceFile(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, content)
  renameSync(temporary, path)
}
