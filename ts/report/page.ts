import { createHash } from 'node:crypto'
import { drawBoundary } from './boundary.js'
import { markup, Markup } from './markup.js'
import { READOUT_SCRIPT } from './readout.js'
import type { ComparisonReport } from './report-data.js'
import { configuration } from './sections/configuration.js'
import { curves } from './sections/curves.js'
import { results } from './sections/results.js'
import { samples } from './sections/samples.js'
import { sensitivity } from './sections/sensitivity.js'
import { summary } from './sections/summary.js'
import { PAGE_CSS, THEME_CSS } from './theme.js'

function sourceHash(text: string): Markup {
  return new Markup(`'sha256-${createHash('sha256').update(text).digest('base64')}'`)
}

function boundaries(report: ComparisonReport): Markup | undefined {
  if (report.boundaries.length === 0) return undefined
  return markup`<section id="boundaries"><h2>Decision boundaries</h2><figure class="plot"><div class="plots">${report.boundaries.map((boundary, index) => drawBoundary(`boundary-${index}`, boundary))}</div><figcaption>Colour is the probability of a class, the line is where both are equally likely, dots are the training points.</figcaption></figure></section>`
}

/**
 * The report as one HTML page that needs nothing else: its styles, drawings and the few lines of script are in it, and its
 * content security policy forbids it to load anything or to run any other script.
 */
export function renderPage(report: ComparisonReport): string {
  const style = `${THEME_CSS}\n${PAGE_CSS}`
  const policy = markup`default-src 'none'; img-src data:; style-src ${sourceHash(style)}; script-src ${sourceHash(READOUT_SCRIPT)}; base-uri 'none'; form-action 'none'`
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="generator" content="sagetrain">
<title>${report.title} · ${report.name}</title><link rel="icon" href="data:,">
<style>${new Markup(style)}</style></head>
<body>${summary(report)}
<main>${boundaries(report)}${curves(report)}${sensitivity(report)}${results(report)}${samples(report)}${configuration(report)}</main>
<footer><p>Written by sagetrain. The same figures as data: <code>result.json</code>; every event: <code>events.jsonl</code>.</p></footer>
<script>${new Markup(READOUT_SCRIPT)}</script></body></html>
`.text
}
