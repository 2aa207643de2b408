/** Thrown by arguments that throw: a caller's own error passes through as it is. */
export class Mine extends Error {}

const mine = (): never => {
  throw new Mine('mine')
}

function detached<A extends Float32Array | Float64Array | Int32Array>(array: A): A {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] })
  return array
}

function cyclic(): object {
  const value: Record<string, unknown> = { type: 'adam', lr: 1 }
  value['self'] = value
  return value
}

/** A value of every class that an argument might be by mistake, by name. */
export function badValues(): [name: string, value: unknown][] {
  return [
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['zero', 0],
    ['minus one', -1],
    ['a half', 0.5],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['past 2^53', 2 ** 60],
    ['bigint', 1n],
    ['symbol', Symbol('s')],
    ['empty string', ''],
    ['string', 'nowhere'],
    ['string with NUL', 'no\u0000where'],
    ['lone surrogate', '\uD800'],
    ['long string', 'x'.repeat(100_000)],
    ['array', []],
    ['array of undefined', [undefined]],
    ['sparse array', Array.from({ length: 3 })],
    ['nested array', [[[[]]]]],
    ['object', {}],
    ['object without prototype', Object.create(null)],
    ['cyclic object', cyclic()],
    ['object with a foreign length', { length: 2 ** 40 }],
    ['function', () => 1],
    ['class', Map],
    ['date', new Date(0)],
    ['map', new Map([['a', 1]])],
    ['promise', Promise.resolve(1)],
    ['error', new Error('x')],
    ['array buffer', new ArrayBuffer(8)],
    ['data view', new DataView(new ArrayBuffer(8))],
    ['Int32Array', new Int32Array(3)],
    ['Float32Array', new Float32Array(3)],
    ['Float64Array', new Float64Array(3)],
    ['BigInt64Array', new BigInt64Array(3)],
    ['shared Float32Array', new Float32Array(new SharedArrayBuffer(8))],
    ['detached Float32Array', detached(new Float32Array(3))],
    ['detached Int32Array', detached(new Int32Array(3))],
    ['throwing getter', Object.defineProperty({}, 'type', { get: mine, enumerable: true })],
    ['throwing proxy', new Proxy({}, { get: mine, has: mine, ownKeys: mine, getPrototypeOf: mine })],
    ['throwing iterable', { [Symbol.iterator]: mine }],
  ]
}
