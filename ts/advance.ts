import type { Batch } from './batch.js'
import type { Loader } from './loader.js'
import type { Session, StepReport } from './session.js'

/**
 * One batch of a run: a step, and at an epoch's end an update of what has accumulated, however little that is, as fairseq does. So no batch
 * of an epoch is left out, and no update reaches into the next one.
 */
export async function advance(session: Session, loader: Loader, batch: Batch): Promise<StepReport> {
  const report = await session.step(batch)
  const epochEnded = loader.state().batch === 0
  if (report.updated || report.skipped || !epochEnded) return report
  const finished = await session.finish()
  return { ...finished, seconds: report.seconds + finished.seconds }
}
