import { isObject, type JsonObject } from '../merge.js'

/** Options that not every type has: of optimizers and of schedules, which flags name by their type. */
const OWN: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  optimizer: { sgd: ['momentum', 'nesterov'], adam: ['betas', 'eps'], adamw: ['betas', 'eps'], adamax: ['betas', 'eps'] },
  schedule: { constant: [], linear: ['warmupSteps', 'warmupRatio'], inverseSqrt: ['warmupSteps'], cosine: ['warmupSteps'], polynomial: ['power', 'warmupSteps'], warmupLinear: ['warmupRatio'] },
}

/** Whether a path into `train` ends at what names the type of an optimizer or a schedule. */
export function namesType(path: readonly string[]): boolean {
  const [key = '', last, ...deeper] = path
  return key in OWN && last === 'type' && deeper.length === 0
}

/** `train` with that type named: of the object of another type below, the options that the named one has too are kept. */
export function withType(train: JsonObject, key: string, type: string): JsonObject {
  const [below, types = {}] = [train[key], OWN[key]]
  const own = types[type]
  if (own === undefined || !isObject(below)) return { ...train, [key]: { ...(isObject(below) && below), type } }
  const foreign = new Set(Object.values(types).flat().filter((option) => !own.includes(option)))
  return { ...train, [key]: { ...Object.fromEntries(Object.entries(below).filter(([option]) => !foreign.has(option))), type } }
}
