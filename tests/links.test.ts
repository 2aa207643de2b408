import test from 'ava'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = process.cwd()
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n')

/** The anchors of a document's headings, as forges make them. */
function anchors(document: string): readonly string[] {
  const headings = [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

/** Links of a document that lead nowhere. */
function broken(path: string): readonly string[] {
  const targets = [...readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    const leads = file === '' ? join(root, path) : join(root, dirname(path), file)
    return !existsSync(leads) || (anchor !== undefined && !anchors(readFileSync(leads, 'utf8')).includes(anchor))
  })
}

test('there are documents', (t) => {
  t.true(documents.includes('README.md') && documents.length > 10)
})

for (const path of documents) test(`the links of ${path} lead somewhere`, (t) => t.deepEqual(broken(path), []))
