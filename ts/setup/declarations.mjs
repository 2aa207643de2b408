// Turns what napi-derive leaves while the addon is compiled into `binding.d.cts`.

/**
 * One line of napi-derive's output.
 *
 * @typedef {object} Definition
 * @property {string} kind
 * @property {string} name
 * @property {string} def the body, or for functions and constants the declaration
 * @property {string} [js_doc] the doc comment, ready to print
 */

/**
 * @param {string} output napi-derive's file: a JSON object a line
 * @param {string} handwritten declarations of what the C++ half exports
 */
export function renderDeclarations(output, handwritten) {
  // Two compilations at once, as of the library and of its tests, both write the file: each line counts once.
  const lines = new Set(output.split('\n').filter(Boolean))
  const definitions = /** @type {Definition[]} */ ([...lines].map((line) => JSON.parse(line)))
  const members = groupMembers(definitions)
  const own = definitions.filter(({ kind }) => kind !== 'impl').map((definition) => render(definition, members))
  return `${['// Made by set-up from the Rust half; do not edit.', ...own, handwritten].join('\n\n').trimEnd()}\n`
}

/**
 * The methods of each class: they come in blocks apart from its fields.
 *
 * @param {readonly Definition[]} definitions
 */
function groupMembers(definitions) {
  /** @type {Map<string, string[]>} */
  const members = new Map()
  for (const { kind, name, def } of definitions) {
    if (kind === 'impl') members.set(name, [...(members.get(name) ?? []), def])
  }
  return members
}

/**
 * @param {Definition} definition
 * @param {ReadonlyMap<string, readonly string[]>} members
 */
function render({ kind, name, def, js_doc: doc = '' }, members) {
  if (kind === 'fn') return `${doc}export declare ${def}`
  if (kind === 'struct') return `${doc}export declare class ${name} ${block([def, ...(members.get(name) ?? [])])}`
  if (kind === 'interface') return `${doc}export interface ${name} ${block([def])}`
  if (kind === 'type') return `${doc}export type ${name} = ${def.trim()}`
  if (kind === 'string_enum') return `${doc}export type ${name} = ${[...def.matchAll(/=\s*('[^']*')/g)].map(([, text]) => text).join(' | ')}`
  throw new Error(`the addon exports ${name} as ${kind}, which ts/setup/declarations.mjs cannot declare`)
}

/** @param {readonly string[]} bodies */
function block(bodies) {
  const lines = bodies.flatMap((body) => body.split('\n')).map((line) => line.trim())
  const indented = lines.filter(Boolean).map((line) => `  ${line.startsWith('*') ? ' ' : ''}${line}`)
  return `{\n${indented.join('\n')}\n}`
}
