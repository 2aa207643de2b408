import { SagetrainError } from '../../errors.js'
import type { ModelSpec } from '../../model-spec.js'
import type { ClassificationPrepared } from './prepare.js'

/** What the data say of their labels. */
export type DataClasses = Pick<ClassificationPrepared, 'kind' | 'labels' | 'submission'>

/**
 * Why a model's classes are not the data's, with the remedy; undefined where they are. Classes are compared by their ids, so those of two
 * names that mean different things must not have the same one. Names that only number the classes (`LABEL_0`, `0`) say nothing, and
 * agree with all; capitals, blanks, `-` and `_` make no difference.
 */
export function classesProblem(spec: ModelSpec, data: DataClasses): string | undefined {
  const head = 'head' in spec ? spec.head : null
  const wanted = data.kind === 'regression' ? 'numbers' : `${data.labels.length} classes`
  if (head === null) return `a model with a head for ${wanted} is expected, and it has none; put one on it by training from its folder: model.pretrained`
  if (head.kind !== data.kind) return `it gives ${head.kind === 'regression' ? 'numbers' : 'classes'}, and the data have ${wanted}; ${ANOTHER_HEAD}`
  if (data.kind === 'regression') return undefined
  if (head.classes !== data.labels.length) return `it tells ${head.classes} classes apart, and the data have ${wanted}; ${ANOTHER_HEAD}`
  return namesProblem(head.labels ?? [], data)
}

const ANOTHER_HEAD = 'a new head comes with training from its folder: model.pretrained'

function namesProblem(ofModel: readonly string[], { labels, submission }: DataClasses): string | undefined {
  const [theirs, ours] = [ofModel.map(plain), labels.map(plain)]
  if (ofModel.length === 0 || theirs.every((name, id) => name === ours[id])) return undefined
  const both = `its classes are ${listOf(ofModel)}, the data's ${listOf(labels)}`
  if (theirs.every((name) => ours.includes(name))) {
    const order = JSON.stringify(theirs.map((name) => labels[ours.indexOf(name)]))
    // A recipe's ids are those of the published scores.
    const how = submission ? `prepare the recipe's files as one's own, by train, columns and labels: ${order}` : `prepare with labels: ${order}`
    return `${both}, in another order: each would be taken for another; ${how}`
  }
  if (areNumbers(theirs) || areNumbers(ours)) return undefined
  return `${both}: it was trained for other classes; ${ANOTHER_HEAD}, or, where they mean the same, name them alike in its config.json`
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]+/g, '_')
}

function areNumbers(names: readonly string[]): boolean {
  return names.every((name, id) => name === `label_${id}` || name === String(id))
}

function listOf(names: readonly string[]): string {
  return names.map((name, id) => `${id} ${name}`).join(', ')
}

/** Refuses a model whose classes are not the data's. */
export function checkClasses(spec: ModelSpec, data: DataClasses, where: 'train.model' | 'train.model.fineTuned' | 'model'): void {
  const problem = classesProblem(spec, data)
  if (problem === undefined) return
  if (where !== 'model') throw new SagetrainError('ERR_CONFIG', `${where}: ${problem}`, { fields: { key: where } })
  throw new SagetrainError('ERR_MODEL', `${where}: ${problem}`)
}
