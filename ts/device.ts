import * as v from 'valibot'
import { expected, oneOf } from './options.js'
import type { Device } from './session.js'

const names = expected('"auto", "cpu", or a GPU by its number such as "cuda:0"')

/** Schema of {@link Device}. */
export const deviceName = v.pipe(v.custom<Device>((value) => typeof value === 'string' && /^(auto|cpu|cuda:\d+)$/.test(value), names))

/** Schema of a precision. */
export const precisionName = oneOf(['float32', 'bfloat16', 'float16'])
