import { createOptimizer, sgd } from 'sagetrain'

const NUMBERS = 32 << 20

/**
 * An in-place triad a ← a + s·b over 32 M numbers on all processors: each call takes one and returns its bytes a second. SGD without momentum is that
 * triad, 12 bytes a number; PyTorch's `a.add_(b, alpha=s)` takes as long.
 */
export function triad() {
  const [data, gradient] = [new Float32Array(NUMBERS).fill(0.2), new Float32Array(NUMBERS).fill(0.01)]
  const optimizer = createOptimizer(sgd({ lr: 1e-9 }), [{ name: 'a', shape: [NUMBERS], data }], { nonFinite: 'unchecked' })
  return () => {
    const started = performance.now()
    optimizer.step([gradient])
    return (12 * NUMBERS) / ((performance.now() - started) / 1000)
  }
}
