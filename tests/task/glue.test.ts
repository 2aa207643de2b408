import test from 'ava'
import { glueArms, glueSetting } from '#ts/task/classification/glue-settings.js'
import { GLUE, glueTask } from '#ts/task/classification/glue.js'

test('the tasks are those of Table 2, in its order, with its metrics', (t) => {
  t.deepEqual(GLUE.map(({ label, figures }) => `${label} ${figures.map((one) => one.label).join('/')}`), [
    'RTE Acc', 'MRPC Acc/F1', 'CoLA Mcc', 'SST-2 Acc', 'STS-B Pearson/Spearman', 'QNLI Acc', 'QQP Acc/F1', 'MNLI m/mm',
  ])
  t.deepEqual(glueTask('mnli').figures.map(({ key, metric }) => [key, metric]), [['accuracy', 'accuracy'], ['accuracyMismatched', 'accuracy']])
  for (const { name, figures } of GLUE) t.is(new Set(figures.map(({ key }) => key)).size, figures.length, name)
})

test('the released MNLI script has Table 7’s column for it', (t) => {
  t.deepEqual(glueSetting('bert-base', 'adamax-sage', 'mnli'), { lr: 2e-4, beta0: 0.85, batchSize: 32, epochs: 3, classifierDropout: 0.3, warmupRatio: 0.1 })
})

test('Table 7 has a setting for each of its combinations and no other', (t) => {
  t.deepEqual(glueArms('bert-base'), ['adam', 'adam-sage', 'adamax', 'adamax-sage'])
  t.deepEqual(glueArms('roberta-large'), ['adamax', 'adamax-sage'])
  t.is(glueSetting('roberta-large', 'adam', 'rte'), undefined)
  for (const model of ['bert-base', 'roberta-large'] as const) {
    for (const arm of glueArms(model)) {
      for (const { name } of GLUE) {
        const setting = glueSetting(model, arm, name)
        t.true(setting !== undefined && setting.lr >= 1e-5 && setting.lr <= 5e-4, `${model} ${arm} ${name}`)
        t.is(setting?.beta0 !== undefined, arm.endsWith('-sage'), `${model} ${arm} ${name}`)
        if (setting?.beta0 !== undefined) t.true(setting.beta0 >= 0.6 && setting.beta0 <= 0.9)
      }
    }
  }
})

/** Table 7 as printed, columns RTE, MRPC, CoLA, SST-2, STS-B, QNLI, QQP, MNLI. */
const PRINTED = {
  'bert-base': {
    lr: {
      adam: [1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 2e-5, 2e-5],
      'adam-sage': [1e-4, 8e-5, 8e-5, 3e-5, 1e-4, 8e-5, 4e-5, 5e-5],
      adamax: [1e-4, 1e-4, 1e-4, 5e-5, 1e-4, 1e-4, 1e-4, 8e-5],
      'adamax-sage': [3e-4, 3e-4, 2e-4, 2e-4, 5e-4, 5e-4, 3e-4, 2e-4],
    },
    beta0: { 'adam-sage': [0.6, 0.8, 0.7, 0.8, 0.6, 0.7, 0.75, 0.7], 'adamax-sage': [0.65, 0.8, 0.75, 0.7, 0.75, 0.7, 0.75, 0.85] },
    batchSize: [16, 8, 32, 32, 32, 32, 32, 32],
    epochs: [6, 6, 6, 6, 6, 3, 6, 3],
    classifierDropout: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0.3],
    warmupRatio: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0.1],
  },
  'roberta-large': {
    lr: { adamax: [5e-5, 5e-5, 3e-5, 1e-5, 5e-5, 1e-5, 1e-4, 1e-5], 'adamax-sage': [6e-5, 2e-4, 8e-5, 2e-5, 8e-5, 3e-5, 2e-4, 8e-5] },
    beta0: { 'adamax-sage': [0.75, 0.65, 0.7, 0.75, 0.8, 0.8, 0.65, 0.6] },
    batchSize: [16, 8, 32, 32, 32, 32, 32, 32],
    epochs: [15, 6, 6, 6, 10, 10, 15, 3],
    classifierDropout: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0.3],
    warmupRatio: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  },
} as const

test('every number is Table 7’s', (t) => {
  for (const [model, { lr, beta0, ...shared }] of Object.entries(PRINTED) as [keyof typeof PRINTED, (typeof PRINTED)[keyof typeof PRINTED]][]) {
    for (const arm of glueArms(model)) {
      for (const [column, { name }] of GLUE.entries()) {
        const rates = lr as Readonly<Record<string, readonly number[]>>
        const guides = beta0 as Readonly<Record<string, readonly number[]>>
        const printed = { lr: rates[arm]?.[column], ...(guides[arm] && { beta0: guides[arm][column] }), ...Object.fromEntries(Object.entries(shared).map(([key, values]) => [key, values[column]])) }
        t.deepEqual({ ...glueSetting(model, arm, name) } as object, printed, `${model} ${arm} ${name}`)
      }
    }
  }
})

test('columns of Table 7 are not mixed up', (t) => {
  t.deepEqual(glueSetting('bert-base', 'adam', 'mrpc'), { lr: 1e-5, batchSize: 8, epochs: 6, classifierDropout: 0.1, warmupRatio: 0.1 })
  t.deepEqual(glueSetting('bert-base', 'adam-sage', 'qqp'), { lr: 4e-5, beta0: 0.75, batchSize: 32, epochs: 6, classifierDropout: 0, warmupRatio: 0 })
  t.deepEqual(glueSetting('bert-base', 'adamax', 'sst-2'), { lr: 5e-5, batchSize: 32, epochs: 6, classifierDropout: 0.1, warmupRatio: 0.1 })
  t.deepEqual(glueSetting('bert-base', 'adamax-sage', 'sts-b'), { lr: 5e-4, beta0: 0.75, batchSize: 32, epochs: 6, classifierDropout: 0.1, warmupRatio: 0.1 })
  t.deepEqual(glueSetting('roberta-large', 'adamax', 'rte'), { lr: 5e-5, batchSize: 16, epochs: 15, classifierDropout: 0.1, warmupRatio: 0.1 })
  t.deepEqual(glueSetting('roberta-large', 'adamax-sage', 'qqp'), { lr: 2e-4, beta0: 0.65, batchSize: 32, epochs: 15, classifierDropout: 0, warmupRatio: 0.1 })
})
