import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

interface Golden {
  readonly tasks: Readonly<Record<string, { readonly files: Readonly<Record<string, string>> }>>
}

const GOLDEN = fileURLToPath(new URL('../crates/data/tests/golden/glue.json.gz', import.meta.resolve('#ts/index.js')))

/** Writes GLUE's published files in miniature into `folder`, those of some tasks; `mrpc-published` are Microsoft's. Resolves to the folder. */
export function glueFiles(folder: string, tasks: readonly string[]): string {
  const golden = JSON.parse(gunzipSync(readFileSync(GOLDEN)).toString()) as Golden
  for (const task of tasks) {
    for (const [name, text] of Object.entries(golden.tasks[task]?.files ?? {})) {
      mkdirSync(join(folder, dirname(name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
  }
  return folder
}

/** The rows of a published file by its header's names. */
export function rowsOf(path: string): Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = readFileSync(path, 'utf8').replace(/^\ufeff/, '').trimEnd().split('\n')
  const names = head.split('\t')
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, place) => [names[place] ?? '', cell])))
}
