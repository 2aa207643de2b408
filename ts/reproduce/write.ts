import { join } from 'node:path'
import { documentMarkdown, documentPage, standalone, type Report } from '../report/document.js'
import { writeWhole } from '../report/write.js'

/** Writes a report as `<name>.html`, `.md` with its drawings beside it, and `.json`. Resolves to the page's path. */
export async function writeDocument(folder: string, name: string, report: Report, results: unknown): Promise<string> {
  const page = join(folder, `${name}.html`)
  const drawings = report.blocks.filter((block) => block.type === 'drawing')
  await Promise.all(drawings.map((drawing) => writeWhole(join(folder, `${drawing.name}.svg`), standalone(drawing.svg))))
  await writeWhole(join(folder, `${name}.json`), `${JSON.stringify({ schema: 1, title: report.title, results }, null, 1)}\n`)
  await writeWhole(join(folder, `${name}.md`), documentMarkdown(report))
  await writeWhole(page, documentPage(report))
  return page
}
