import { createHash } from 'node:crypto'
import { markup, Markup, type Fragment } from './markup.js'
import { PAGE_CSS, THEME_CSS } from './theme.js'

/** A part of a report that is read as a page and as Markdown. */
export type Block =
  | { readonly type: 'heading'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'list'; readonly items: readonly string[] }
  | { readonly type: 'table'; readonly caption: string; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly type: 'code'; readonly text: string }
  /** An SVG; in Markdown the file of that name beside it. */
  | { readonly type: 'drawing'; readonly name: string; readonly title: string; readonly svg: Markup }

/** A report: title, verdict, parts. */
export interface Report {
  readonly title: string
  readonly blocks: readonly Block[]
}

/** Columns above which a table is set closer, to fit a page. */
const WIDE = 9

/** As a page that needs nothing else. */
export function documentPage({ title, blocks }: Report): string {
  const style = `${THEME_CSS}\n${PAGE_CSS}`
  const hash = createHash('sha256').update(style).digest('base64')
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'sha256-${new Markup(hash)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="generator" content="sagetrain">
<title>${title}</title><link rel="icon" href="data:,">
<style>${new Markup(style)}</style></head>
<body><header><h1>${title}</h1></header><main>${blocks.map(htmlOf)}</main></body></html>
`.text
}

function htmlOf(block: Block): Fragment {
  if (block.type === 'heading') return markup`<h2>${block.text}</h2>`
  if (block.type === 'text') return markup`<p>${block.text}</p>`
  if (block.type === 'list') return markup`<ul>${block.items.map((item) => markup`<li>${item}</li>`)}</ul>`
  if (block.type === 'code') return markup`<pre><code>${block.text}</code></pre>`
  if (block.type === 'drawing') return markup`<figure class="plot"><h3>${block.title}</h3>${block.svg}</figure>`
  const [, ...others] = block.head
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${block.caption}"><table${block.head.length > WIDE && markup` class="wide"`}><caption><span>${block.caption}</span></caption>
<thead><tr><th scope="col">${block.head[0] ?? ''}</th>${others.map((label) => markup`<th scope="col">${label}</th>`)}</tr></thead>
<tbody>${block.rows.map(([first, ...cells]) => markup`<tr><th scope="row">${first ?? ''}</th>${cells.map(cellOf)}</tr>`)}</tbody></table></div>`
}

/** A cell of several figures, `84.1/90.2`, may be broken between them, so that a wide table fits a page. */
function cellOf(cell: string): Fragment {
  const parts = cell.split(/(?<=\/)/)
  return parts.length < 2 ? markup`<td>${cell}</td>` : markup`<td class="several">${parts.map((part) => markup`<span>${part}</span><wbr>`)}</td>`
}

/** As Markdown; drawings are links to files of their names. */
export function documentMarkdown({ title, blocks }: Report): string {
  return `${[`# ${title}`, ...blocks.map(markdownOf)].join('\n\n')}\n`
}

function markdownOf(block: Block): string {
  if (block.type === 'heading') return `## ${block.text}`
  if (block.type === 'text') return block.text
  if (block.type === 'list') return block.items.map((item) => `- ${item}`).join('\n')
  if (block.type === 'code') return block.text.split('\n').map((line) => `    ${line}`).join('\n')
  if (block.type === 'drawing') return `![${block.title}](${block.name}.svg)`
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(block.head), line(block.head.map((_, index) => (index === 0 ? '---' : '---:'))), ...block.rows.map(line), '', block.caption].join('\n')
}

/** A drawing as a file of its own: the page's colours are in it. */
export function standalone(svg: Markup): string {
  return `${svg.text.replace('<title', `<style>${THEME_CSS}</style>\n<title`)}\n`
}
