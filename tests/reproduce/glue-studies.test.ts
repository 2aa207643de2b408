import test from 'ava'
import { documentMarkdown } from '#ts/report/document.js'
import { ablation, betaPanel } from '#ts/reproduce/glue-studies.js'
import { sweepReport, tableReport } from '#ts/reproduce/report.js'
import { sweepOf } from '#ts/reproduce/sweep.js'
import { tableOf } from '#ts/reproduce/table.js'

const SOURCES = { data: '/data', pretrained: '/model' }
const provenance = { command: '', facts: [] }

test('Table 12 says which rows have which form, and on what it is measured', async (t) => {
  for (const [experiments, part] of [[ablation.paper(SOURCES), 'the development set that chose the epoch'], [ablation.quick(SOURCES), 'the held-out part']] as const) {
    const results = await Promise.all(experiments.map((experiment) => tableOf(experiment, [1], new Map())))
    const markdown = documentMarkdown(tableReport('T', experiments, results, provenance))
    t.true(markdown.includes(`accuracy (%) on ${part}: mean`), part)
    t.regex(markdown, /Adam-SAGE (is that of the paper’s released code|are those of the paper’s GLUE runs)/)
    t.notRegex(markdown, /(^|[^-])SAGE (is|are) th/)
    t.true(markdown.includes('The rows 1 to 5 are in the form of the paper’s equations'))
  }
})

test('Figure 8 of MNLI is measured on the development set', (t) => {
  const experiments = betaPanel(SOURCES)
  const markdown = documentMarkdown(sweepReport('T', experiments, experiments.map((experiment) => sweepOf(experiment, 1, new Map())), provenance))
  t.true(markdown.includes('on the development set that chose the epoch, one run'))
  t.notRegex(markdown, /held-out/)
})
