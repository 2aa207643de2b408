import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../report/write.js'
import { UsageError } from './exit-codes.js'
import { checkConfig, type RunConfig } from './run-config.js'

/** The configuration of a run, in its folder: what `--resume` goes on with. */
export const CONFIG_FILE = 'config.json'

/** Makes `runs/<name>`, or `runs/<name>-2` and so on where that is taken: a run never writes into another's folder. */
export async function createRunFolder(parent: string, config: RunConfig, name: string): Promise<string> {
  await mkdir(parent, { recursive: true })
  const folder = await firstFree(parent, name, 1)
  await writeWhole(join(folder, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`)
  return folder
}

// Making a folder either succeeds or finds it there, in one step: two runs that start at once get one each.
async function firstFree(parent: string, name: string, number: number): Promise<string> {
  const folder = join(parent, number === 1 ? name : `${name}-${number}`)
  try {
    await mkdir(folder)
    return folder
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    return firstFree(parent, name, number + 1)
  }
}

/** The configuration that a run's folder was made with. */
export async function readRunFolder(folder: string): Promise<RunConfig> {
  const path = join(folder, CONFIG_FILE)
  const content = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${folder}: no run is there (${path} cannot be read)`)
  })
  try {
    return checkConfig(JSON.parse(content), path)
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Removes a new run's folder in which nothing has happened yet: a configuration that was refused leaves nothing behind. */
export async function discardUntouched(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  if (entries.every((entry) => entry.isDirectory() || entry.name === CONFIG_FILE)) await rm(folder, { recursive: true })
}
