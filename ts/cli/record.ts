import { StepCurve } from '../report/curve.js'
import type { ArmReport, ArmResult, EvaluationPoint, SensitivityPoint } from '../report/report-data.js'
import type { Measured, Metrics, TimedEvent } from './task-command.js'

/** A mean that grows. */
class Mean {
  #sum = 0
  #count = 0

  add(value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return
    this.#sum += value
    this.#count += 1
  }

  value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

/** Reports of `observe` that are kept: beyond twice as many, every second one goes. */
const OBSERVED = 512

function setupOf({ device, precision, threads }: Extract<TimedEvent, { readonly type: 'start' }>): string {
  return `${device}, ${precision}, ${threads} thread${threads === 1 ? '' : 's'}`
}

/** What an arm's events add up to. */
export class ArmRecord {
  readonly #curve = new StepCurve()
  readonly #evaluations: EvaluationPoint[] = []
  #best: Metrics | undefined
  #sensitivity: SensitivityPoint[] = []
  // Seconds a token, not tokens a second: rates of steps of about equal size average harmonically.
  readonly #secondsPerToken = new Mean()
  readonly #optimizerShare = new Mean()
  readonly #dataWait = new Mean()
  readonly #setups = new Set<string>()
  #step = 0
  #seconds = 0

  /** Takes in one event. */
  add(event: TimedEvent): void {
    this.#seconds = Math.max(this.#seconds, event.seconds)
    if ('step' in event) this.#step = Math.max(this.#step, event.step)
    if (event.type === 'start') this.#setups.add(setupOf(event))
    else if (event.type === 'step') {
      this.#curve.add({ step: event.step, seconds: event.seconds, loss: event.loss })
      this.#secondsPerToken.add(1 / event.tokensPerSecond)
      this.#optimizerShare.add(event.optimizerShare)
      this.#dataWait.add(event.dataWait)
    } else if (event.type === 'evaluation') {
      this.#evaluations.push({ step: event.step, seconds: event.seconds, metrics: event.metrics })
      if (event.best) this.#best = event.metrics
    } else if (event.type === 'sensitivity') this.#observe({ ...event.point, seconds: event.seconds })
  }

  #observe(point: SensitivityPoint): void {
    this.#sensitivity.push(point)
    if (this.#sensitivity.length >= 2 * OBSERVED) this.#sensitivity = this.#sensitivity.filter((_, index) => index % 2 === 1)
  }

  /** Device, precision and threads of the parts that the run was trained in, each once. */
  get setups(): readonly string[] {
    return [...this.#setups]
  }

  /** Metrics of the evaluation that the run keeps as its best; undefined before the first. */
  get best(): Metrics | undefined {
    return this.#best
  }

  /** Steps finished. */
  get step(): number {
    return this.#step
  }

  /** Seconds of training so far. */
  get seconds(): number {
    return this.#seconds
  }

  /** Metrics of the training itself: speed and where the time went. */
  costs(): Metrics {
    const secondsPerToken = this.#secondsPerToken.value()
    return {
      tokensPerSecond: secondsPerToken === null ? null : 1 / secondsPerToken,
      optimizerShare: this.#optimizerShare.value(),
      dataWait: this.#dataWait.value(),
    }
  }

  /** The curves, for the report. */
  curves(): Pick<ArmReport, 'steps' | 'evaluations' | 'sensitivity'> {
    return { steps: this.#curve.points(), evaluations: this.#evaluations, sensitivity: this.#sensitivity }
  }

  /** The result, once the held-out part has been measured. */
  result(measured: Measured, intervals: ArmResult['intervals'], shared: Metrics): ArmResult {
    return {
      steps: this.#step,
      bestStep: measured.bestStep,
      seconds: this.#seconds,
      metrics: { ...measured.metrics, ...this.costs(), trainingSeconds: this.#seconds, ...shared },
      intervals,
      signatures: measured.signatures,
    }
  }
}
