import { average } from './average.js'
import { classificationCommand } from './classification-command.js'
import type { Command } from './command.js'
import { doctor } from './doctor.js'
import { evaluate } from './evaluate.js'
import { exportModel } from './export.js'
import { glue } from './glue.js'
import { predict } from './predict.js'
import { prepare } from './prepare.js'
import { reproduce } from './reproduce.js'
import { score } from './score.js'
import { search } from './search.js'
import { spiralCommand } from './spiral-command.js'
import { start } from './start.js'
import type { TaskCommand } from './task-command.js'
import { train } from './train.js'
import { translate } from './translate.js'
import { translationCommand } from './translation-command.js'
import { verifyResumeCommand } from './verify-resume.js'
import { weights } from './weights.js'

/** The tasks of `sagetrain train`: a new one adds its line. */
export const TASKS: ReadonlyMap<string, TaskCommand> = new Map([translationCommand, classificationCommand, spiralCommand].map((task) => [task.name, task]))

/** The commands of `sagetrain`, in the order of `--help`. */
export const COMMANDS: readonly Command[] = [start, prepare, train, translate, predict, evaluate, score, search, reproduce, glue, average, exportModel, verifyResumeCommand, weights, doctor]
