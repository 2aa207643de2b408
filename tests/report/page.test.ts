import { mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { embedJson, escape, markup } from '#ts/report/markup.js'
import { renderPage } from '#ts/report/page.js'
import type { ArmReport } from '#ts/report/report-data.js'
import { seedStatement, verdict } from '#ts/report/verdict.js'
import { replaceWhole, writeReport, writeWhole } from '#ts/report/write.js'
import { boundary, comparison } from './fixture.js'

function withSeedTwo(run: ArmReport): ArmReport {
  return { ...run, name: `${run.name}-seed-2`, seed: 2 }
}

function unmeasured(run: ArmReport): ArmReport {
  return { ...run, steps: [], evaluations: [], sensitivity: [], result: null }
}

test('what is interpolated is text, whatever it looks like', (t) => {
  t.is(markup`<a title="${`"'<&>`}">${['x', markup`<b>y</b>`, undefined, false, 0]}</a>`.text, '<a title="&quot;&#39;&lt;&amp;&gt;">x<b>y</b>0</a>')
  t.is(escape('a\u0000b\ud800c\u001b[31m'), 'a\ufffdb\ufffdc\ufffd[31m')
  t.is(embedJson({ a: '</script><!--\u2028' }).text, String.raw`{"a":"\u003c/script\u003e\u003c!--\u2028"}`)
})

test('the verdict claims what the interval allows, and no more', (t) => {
  t.regex(verdict(comparison()), /^Adam-SAGE is ahead by 2\.7 BLEU \(.*\+1\.1 to \+4\.2, paired bootstrap, p = 0\.002\)/)
  const [paired] = comparison().comparisons
  if (paired === undefined) return t.fail('the fixture has no comparison')
  t.regex(verdict(comparison({ comparisons: [{ ...paired, interval: [-0.4, 4.2] }] })), /^Too close to call/)
  t.regex(verdict(comparison({ comparisons: [{ ...paired, difference: -2, interval: [-3, -1], pValue: 0.0002 }] })), /^Adam is ahead by 2\.0 BLEU .*p < 0\.001/)
  t.is(verdict(comparison({ arms: [] })), 'No arm was measured on held-out data.')
  t.notRegex(verdict(comparison({ comparisons: [] })), /ahead/)
})

test('one seed is said to be one seed, several are a mean with its deviation', (t) => {
  t.regex(seedStatement(comparison()), /^One seed per arm \(seed 1\)/)
  const { arms } = comparison()
  const twice = comparison({ arms: [...arms, ...arms.map(withSeedTwo)] })
  t.regex(seedStatement(twice), /^2 seeds per arm/)
  t.regex(verdict(twice), /Adam BLEU 24\.3 ± 0\.0 \(2 seeds\)/)
  t.regex(renderPage(twice), /Adam-SAGE, seed 2/)
})

test('the page is one file that asks for nothing', (t) => {
  const page = renderPage(comparison())
  t.notRegex(page, /(?:src|href)="(?!data:)/)
  t.notRegex(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:/)
  t.true(page.includes("default-src &#39;none&#39;") || page.includes("default-src 'none'"))
  t.false(page.includes('<script>alert'))
  t.true(page.length < 400_000)
  t.is(page, renderPage(comparison()))
})

test('ids are unique and every reference finds its id', (t) => {
  const page = renderPage(comparison({ boundaries: [boundary('Adam', 2), boundary('Adam-SAGE', 5)] }))
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  t.is(new Set(ids).size, ids.length)
  for (const [, list = ''] of page.matchAll(/aria-labelledby="([^"]+)"/g)) for (const id of list.split(' ')) t.true(ids.includes(id), id)
})

test('a metric that no run has is no column', (t) => {
  const { columns } = comparison({})
  const pearson = { key: 'pearson', label: 'Pearson', digits: 3 } as const
  t.notRegex(renderPage(comparison({ columns: [...columns, pearson] })), /Pearson/)
})

test('an interrupted run and one without anything measured still make a page that says so', (t) => {
  const bare = comparison({ status: 'interrupted', samples: [], comparisons: [], rates: null, arms: comparison().arms.map(unmeasured) })
  const page = renderPage(bare)
  t.regex(page, /Interrupted before its end/)
  t.regex(page, /no search is recorded/)
  t.notRegex(page, /NaN|undefined|\[object/)
})

test('files are whole or absent: nothing temporary stays, a failed write leaves the old file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sagetrain-report-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeReport(folder, comparison({ boundaries: [boundary('Adam', 2)] }))
  t.deepEqual((await readdir(folder)).toSorted(), ['boundaries.svg', 'report.html', 'result.json'])
  t.deepEqual(JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')), JSON.parse(JSON.stringify(comparison({ boundaries: [boundary('Adam', 2)] }))))
  await writeFile(join(folder, 'file'), 'old')
  await t.throwsAsync(writeWhole(join(folder, 'file', 'below'), 'new'), { code: 'ERR_IO', message: /file\/below: cannot be written \(ENOTDIR/ })
  t.is(await readFile(join(folder, 'file'), 'utf8'), 'old')
  // A handle to a device that is always full stands for a full disk.
  const full = await open('/dev/full', 'w')
  t.teardown(() => full.close())
  await t.throwsAsync(replaceWhole(join(folder, 'file'), async () => full.writeFile('new')), { code: 'ERR_IO', message: /file: cannot be written \(ENOSPC/ })
  await t.throwsAsync(replaceWhole(join(folder, 'file'), async () => void (await readFile(join(folder, 'none')))), { code: 'ENOENT' })
  t.is(await readFile(join(folder, 'file'), 'utf8'), 'old')
  t.false((await readdir(folder)).some((name) => name.endsWith('.tmp')))
})
