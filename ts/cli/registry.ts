import { average } from './average.js'
import type { Command } from './command.js'
import { doctor } from './doctor.js'
import { evaluate } from './evaluate.js'
import { exportModel } from './export.js'
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

/** The tasks of `sagetrain train`: a new one adds its line. */
export const TASKS: ReadonlyMap<string, TaskCommand> = new Map([translationCommand, spiralCommand].map((task) => [task.name, task]))

/** The commands of `sagetrain`, in the order of `--help`. */
export const COMMANDS: readonly Command[] = [start, prepare, train, translate, evaluate, score, search, reproduce, average, exportModel, verifyResumeCommand, doctor]
