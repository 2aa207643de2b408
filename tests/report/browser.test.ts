import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { chromium, type Browser, type Page } from 'playwright-core'
import { writeReport } from '#ts/report/write.js'
import { boundary, comparison } from './fixture.js'

// The page in a real browser: Debian's Chromium, or the one CHROMIUM names. Where there is none the tests are skipped, except
// in CI, where a missing browser is a missing check.
const CANDIDATES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path))
const reason = 'no Chromium found (apt-get install chromium, or set CHROMIUM)'
const required = Boolean(process.env['CI'])

let browser: Browser
let folder: string
let address: string

test.before(async () => {
  if (executablePath === undefined) return
  folder = await mkdtemp(join(tmpdir(), 'sagetrain-page-'))
  const { page } = await writeReport(folder, comparison({ boundaries: [boundary('Adam', 2), boundary('Adam-SAGE', 5)] }))
  address = pathToFileURL(page).href
  browser = await chromium.launch({ executablePath, args: ARGUMENTS })
})

test.after.always(async () => {
  await browser?.close()
  if (folder) await rm(folder, { recursive: true })
})

/** A test with the page open; it fails when the page writes to the console, throws, or asks for anything but itself. */
function inBrowser(title: string, view: { readonly width: number; readonly dark?: boolean }, check: (t: ExecutionContext, page: Page) => Promise<void>): void {
  if (executablePath === undefined && !required) return test.serial.skip(`${title} (${reason})`, (t) => t.fail(reason))
  test.serial(title, async (t) => {
    if (executablePath === undefined) return void t.fail(reason)
    const page = await browser.newPage({ viewport: { width: view.width, height: 760 }, colorScheme: view.dark ? 'dark' : 'light' })
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) complaints.push(`request: ${request.url()}`)
    })
    await page.goto(address)
    await check(t, page)
    t.deepEqual(complaints, [])
    await page.close()
  })
}

inBrowser('both arms have their curves, drawn within the frame', { width: 1200 }, async (t, page) => {
  const plots = await page.locator('.axis-steps .plot').count()
  t.is(plots, 4)
  const lines = await page.evaluate<readonly { wide: boolean; inside: boolean; stroke: string }[]>(LINES)
  t.is(lines.length, 8)
  t.true(lines.every(({ wide, inside }) => wide && inside))
  t.is(new Set(lines.map(({ stroke }) => stroke)).size, 2)
})

for (const width of [320, 375, 768]) {
  inBrowser(`nothing scrolls sideways at ${width} pixels, and letters stay legible`, { width }, async (t, page) => {
    t.is(await page.evaluate('document.documentElement.scrollWidth'), width)
    const smallest = await page.evaluate<number>(SMALLEST_LETTERS)
    t.true(smallest >= 9, `smallest letters are ${smallest} pixels`)
  })
}

for (const width of [390, 1200]) {
  inBrowser(`captions are read without scrolling a table at ${width} pixels`, { width }, async (t, page) => {
    const cut = await page.evaluate<readonly string[]>(CUT_CAPTIONS)
    t.deepEqual(cut, [])
  })
}

for (const dark of [false, true]) {
  inBrowser(`text contrasts with what is behind it by 4.5 to 1 (${dark ? 'dark' : 'light'})`, { width: 1200, dark }, async (t, page) => {
    const poor = await page.evaluate<readonly string[]>(CONTRAST)
    t.deepEqual(poor, [])
    const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    t.is(/rgb\((\d+)/.exec(paper)?.[1] !== undefined && Number(/rgb\((\d+)/.exec(paper)?.[1]) < 64, dark)
  })
}

inBrowser('the arrow keys read the curves, and a screen reader is told', { width: 1200 }, async (t, page) => {
  const surface = page.locator('.axis-steps .surface').first()
  await surface.focus()
  t.is(await surface.getAttribute('role'), 'slider')
  await page.keyboard.press('Home')
  const first = await surface.getAttribute('aria-valuetext')
  t.regex(first ?? '', /^step 2 · Adam 8\.\d+ · Adam-SAGE 8\.\d+$/)
  await page.keyboard.press('ArrowRight')
  t.not(await surface.getAttribute('aria-valuetext'), first)
  t.is(await page.locator('.axis-steps .readout').first().textContent(), await surface.getAttribute('aria-valuetext'))
  await page.keyboard.press('End')
  t.regex((await surface.getAttribute('aria-valuetext')) ?? '', /^step 1,500 · /)
  t.is(await page.locator('.axis-steps .cursor-dot').count(), 2)
})

inBrowser('the pointer reads the curves too', { width: 1200 }, async (t, page) => {
  const surface = page.locator('.axis-steps .surface').first()
  const box = await surface.boundingBox()
  if (box === null) return void t.fail('the drawing has no box')
  await surface.hover({ position: { x: box.width / 2, y: box.height / 2 } })
  const text = await page.locator('.axis-steps .readout').first().textContent()
  const step = Number(/step ([\d,]+)/.exec(text ?? '')?.[1]?.replace(',', ''))
  t.true(step > 600 && step < 800, text ?? '')
})

inBrowser('the switch shows wall time instead of steps, by keyboard', { width: 1200 }, async (t, page) => {
  t.false(await page.locator('.axis-time').isVisible())
  await page.locator('#by-steps').focus()
  await page.keyboard.press('ArrowRight')
  t.true(await page.locator('.axis-time').isVisible())
  t.false(await page.locator('.axis-steps').isVisible())
  const surface = page.locator('.axis-time .surface').first()
  await surface.focus()
  t.regex((await surface.getAttribute('aria-valuetext')) ?? '', /^10:\d\d · Adam \d/)
})

inBrowser('every drawing has a name, and its values as a table', { width: 1200 }, async (t, page) => {
  const drawings = await page.locator('svg[role=img] > title').allTextContents()
  t.is(drawings.length, await page.locator('svg[role=img]').count())
  t.true(drawings.length >= 11 && drawings.every((title) => title.length > 3))
  await page.locator('.axis-steps details').first().locator('summary').click()
  t.true((await page.locator('.axis-steps table').first().locator('tbody tr').count()) >= 20)
})

// What runs in the page is text, so that these tests need no types of a browser.
const LINES = `[...document.querySelectorAll('.axis-steps .line')].map((line) => {
  const frame = line.ownerSVGElement.getBoundingClientRect()
  const box = line.getBoundingClientRect()
  return { wide: box.width > frame.width / 2, inside: box.left >= frame.left && box.right <= frame.right + 1 && box.top >= frame.top && box.bottom <= frame.bottom, stroke: getComputedStyle(line).stroke }
})`

const SMALLEST_LETTERS = `Math.min(...[...document.querySelectorAll('.chart text')].filter((text) => text.getClientRects().length > 0).map((text) => {
  const svg = text.ownerSVGElement
  return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
}))`

const CUT_CAPTIONS = `[...document.querySelectorAll('.scroll')].filter((box) => box.clientWidth > 0).flatMap((box) => {
  const right = box.getBoundingClientRect().left + box.clientWidth
  return [...box.querySelectorAll('caption span')].filter((caption) => caption.getBoundingClientRect().right > right + 1).map((caption) => caption.textContent)
})`

/** Relative luminance and contrast as WCAG 2 defines them, over every element that holds text of its own. */
const CONTRAST = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color.length < 4 || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  const poor = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
    if (!own || element.closest('script,style,title,desc') || element.getClientRects().length === 0) continue
    const style = getComputedStyle(element)
    const [text, paper] = [luminance(channels(element instanceof SVGElement ? style.fill : style.color)), luminance(behind(element))]
    const ratio = (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05)
    if (ratio < 4.5) poor.push(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2) + ': ' + element.textContent.slice(0, 40))
  }
  return poor
})()`
