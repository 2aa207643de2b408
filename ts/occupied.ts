import { hostname } from 'node:os'
import { join } from 'node:path'
import { SagetrainError } from './errors.js'
import { holdLock } from './setup/lock.mjs'

/** A folder that is ours until it is disposed. */
export interface Occupied extends Disposable {
  readonly folder: string
}

/**
 * Keeps all others, in this process and elsewhere, out of a folder in which a run writes. `name` is the lock file's.
 *
 * @throws {@link SagetrainError} `ERR_STATE` where one is there already; the lock of a process that has died is taken over.
 */
export async function occupy(folder: string, name: string): Promise<Occupied> {
  const release = await holdLock(join(folder, name), ({ pid, host }) => {
    const where = host === hostname() ? '' : ` on ${host}`
    const who = pid === process.pid && where === '' ? `this process (${pid}); wait for its end` : `process ${pid}${where}; wait for its end, or stop it with kill ${pid} (it saves before it ends)`
    throw new SagetrainError('ERR_STATE', `${folder} is being trained by ${who}`, { fields: { path: folder, pid } })
  })
  return { folder, [Symbol.dispose]: release }
}
