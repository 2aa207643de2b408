import test from 'ava'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'

const run = promisify(execFile)
const root = process.cwd()
const readme = await readFile(join(root, 'README.md'), 'utf8')
const snippets = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? '')

/** A folder inside the package, so that `sagetrain` means this checkout. */
async function folder(): Promise<string> {
  const path = await mkdtemp(join(root, 'dist', 'readme-'))
  const pairs = gunzipSync(await readFile(join(root, 'ts/task/translation/corpus/valid.tsv.gz'))).toString().trim().split('\n')
  const column = (index: number) => pairs.map((pair) => pair.split('\t')[index]).join('\n')
  await writeFile(join(path, 'train.de'), column(0))
  await writeFile(join(path, 'train.en'), column(1))
  return path
}

test('the README has its snippets', (t) => {
  t.is(snippets.length, 3)
})

for (const [index, snippet] of snippets.entries())
  test.serial(`the README's snippet ${index + 1} compiles under the strictest options and runs`, async (t) => {
    t.timeout(300_000)
    const path = await folder()
    try {
      await writeFile(join(path, 'snippet.ts'), snippet)
      const options = { ...JSON.parse(await readFile(join(root, 'tsconfig.base.json'), 'utf8')).compilerOptions, composite: false, incremental: false }
      const compilerOptions = { ...options, rootDir: '.', outDir: '.', noEmit: false, declaration: false, sourceMap: false, types: ['node'] }
      await writeFile(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['snippet.ts'] }))
      const compiled = await run(join(root, 'node_modules/.bin/tsc'), ['-p', path], { cwd: root }).catch((error: { stdout: string }) => error)
      t.is(compiled.stdout, '')
      const { stdout, stderr } = await run(process.execPath, ['snippet.js'], { cwd: path })
      t.is(stderr, '')
      t.regex(stdout, /\d/)
      t.notRegex(stdout, /NaN|undefined/)
    } finally {
      await rm(path, { recursive: true, force: true })
    }
  })
