/**
 * Train Transformers from TypeScript. Three levels, each written on the next: a task ({@link Translation}, {@link Spiral}), one's own loop
 * ({@link Dataset}, {@link Model}, {@link Session}), an optimizer on typed arrays ({@link createOptimizer}).
 *
 * @packageDocumentation
 */
export { Batch, type BatchColumn, type DenseColumn, type LoaderState, type RaggedColumn } from './batch.js'
export { latestCheckpoint, readCheckpoint, retainCheckpoints, type CheckpointState, type LatestCheckpoint } from './checkpoint.js'
export type { Sample } from './columns.js'
export { Dataset, type ColumnInfo } from './dataset.js'
export { isSagetrainError, SagetrainError, type ErrorFields, type SagetrainErrorCode } from './errors.js'
export type { Json } from './json.js'
export { Loader, type LoaderOptions } from './loader.js'
export { Model, type EvaluateOptions, type Losses, type ParameterInfo, type TensorValue } from './model.js'
export type { MlpOptions, MlpSpec, ModelOptions, ModelSpec, TransformerOptions, TransformerPreset, TransformerSpec } from './model-spec.js'
export { adam, type AdamSpec } from './optim/adam.js'
export { adamax, type AdamaxSpec } from './optim/adamax.js'
export { adamw, type AdamwSpec } from './optim/adamw.js'
export type { FloatArray } from './optim/arrays.js'
export type { CommonOptions, CommonSpec, Decay, MomentOptions, MomentSpec, ReleasedOptions, ReleasedSpec } from './optim/moments.js'
export type { ObserveOptions } from './optim/observe.js'
export {
  createOptimizer,
  Optimizer,
  type GroupOptions,
  type OptimizerOptions,
  type OptimizerState,
  type StandaloneOptions,
  type StateMismatch,
  type StepInputs,
  type StepResult,
  type TensorInput,
} from './optim/optimizer.js'
export type { Modulation, ReleasedSageOptions, ReleasedSageSpec, SageOptions, SageSpec } from './optim/sage.js'
export type { NamePattern, ParameterShape, Scope, ScopePredicate } from './optim/scope.js'
export type { ElementSensitivity, SensitivityReport, SensitivitySummary, TensorSensitivity } from './optim/sensitivity.js'
export { sgd, type SgdOptions, type SgdSpec } from './optim/sgd.js'
export type { OptimizerSpec } from './optim/spec.js'
export { constant } from './schedule/constant.js'
export { cosine, type CosineOptions } from './schedule/cosine.js'
export { inverseSqrt, type InverseSqrtOptions } from './schedule/inverse-sqrt.js'
export { linear, type LinearOptions } from './schedule/linear.js'
export { polynomial, type PolynomialOptions } from './schedule/polynomial.js'
export { multiplierAt, type ScheduleSpec } from './schedule/spec.js'
export { warmupLinear, type WarmupLinearOptions } from './schedule/warmup-linear.js'
export { bleu, chrf, pairedBootstrap, type Bleu, type BootstrapOptions, type Chrf, type Estimate, type PairedBootstrap } from './scores.js'
export { Session, type LoadedCheckpoint, type Precision, type SaveOptions, type SessionOptions, type SessionSpec, type StepReport } from './session.js'
export { Tokenizer } from './tokenizer.js'
export type { Best, CheckpointEvent, EndEvent, EndReason, EvaluationEvent, Metrics, StartEvent, StepEvent, TrainEvent, WarningEvent } from './events.js'
export { Run, type RunResult } from './run.js'
export type { CheckpointOptions, EvaluationSchedule, TrainOptions } from './train-options.js'
export { tasks, type Task, type TaskKind, type TaskName } from './task/registry.js'
export { Spiral, type Boundary, type SpiralMetrics, type SpiralOptions, type SpiralTrainOptions } from './task/spiral/spiral.js'
export type { TranslationMetrics, TranslationScores } from './task/translation/evaluate.js'
export type { CorpusFiles, Prepared, PreparedPart, PrepareOptions } from './task/translation/prepare.js'
export type { SearchOptions } from './task/translation/search.js'
export { Translation, type TranslationEvaluateOptions, type TranslationTrainOptions } from './task/translation/translation.js'
export { Translator, type Hypothesis, type TranslateOptions } from './task/translation/translator.js'
