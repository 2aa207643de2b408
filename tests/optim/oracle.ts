/** Adam and Adam-SAGE from the paper's equations (Liang et al., ICLR 2022, Algorithm 2), element by element in float64. */
export interface OracleOptions {
  readonly lr: number
  readonly betas: readonly [number, number]
  readonly eps: number
  readonly sage?: { readonly beta0: number; readonly epsilon: number }
}

/** Takes one step at a time; `theta` is updated in place. */
export function oracle(theta: Float64Array, { lr, betas: [beta1, beta2], eps, sage }: OracleOptions): (gradient: Float64Array) => void {
  const [m, v, e] = [new Float64Array(theta.length), new Float64Array(theta.length), new Float64Array(theta.length)]
  let t = 0
  return (gradient) => {
    t += 1
    gradient.forEach((g, i) => {
      m[i] = beta1 * at(m, i) + (1 - beta1) * g
      v[i] = beta2 * at(v, i) + (1 - beta2) * g * g
      const step = at(m, i) / (1 - beta1 ** t) / (Math.sqrt(at(v, i) / (1 - beta2 ** t)) + eps)
      theta[i] = at(theta, i) - lr * modulation(i, g) * step
    })
  }

  function modulation(i: number, g: number): number {
    if (sage === undefined) return 1
    const sensitivity = Math.abs(at(theta, i) * g)
    e[i] = sage.beta0 * at(e, i) + (1 - sage.beta0) * sensitivity
    const average = at(e, i) / (1 - sage.beta0 ** t)
    return (Math.abs(sensitivity - average) + sage.epsilon) / (average + sage.epsilon)
  }
}

function at(array: Float64Array, index: number): number {
  return array[index] ?? Number.NaN
}
