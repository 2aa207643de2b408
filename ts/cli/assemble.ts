import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Json } from '../json.js'
import { bytes } from '../report/format.js'
import type { ComparisonReport, Fact } from '../report/report-data.js'
import type { RunConfig } from './run-config.js'
import type { PreparedTask, TaskCommand } from './task-command.js'
import type { Trained } from './training.js'

export interface ReportParts {
  readonly command: TaskCommand
  readonly task: PreparedTask
  readonly config: RunConfig
  /** The run's name: that of its folder. */
  readonly name: string
  /** The command lines. */
  readonly written: string
  readonly trained: Trained
  readonly versions: readonly Fact[]
}

/** The processor's name. */
export function processor(): string {
  return cpus()[0]?.model.trim() ?? 'unknown processor'
}

/** What the operating system says of the machine. */
export function machineFacts(): readonly Fact[] {
  return [
    { label: 'processor', value: `${processor()}, ${availableParallelism()} processors for this process` },
    { label: 'memory', value: bytes(totalmem()) },
    { label: 'system', value: `${process.platform} ${release()}, ${process.arch}` },
  ]
}

/** The command lines that a run's results come from: for one that went on, those that its result tells of stand before. */
export async function commandsOf(folder: string, written: string): Promise<string> {
  const { command }: Partial<ComparisonReport> = await readFile(join(folder, 'result.json'), 'utf8').then(JSON.parse).catch(() => ({}))
  return command === undefined || command.endsWith(written) ? (command ?? written) : `${command}; ${written}`
}

/** Puts the report together. */
export function assembleReport({ command, task, config, name, written, trained, versions }: ReportParts): ComparisonReport {
  const labels = [...new Set(trained.arms.map(({ label }) => label))]
  return {
    schema: 1,
    name,
    task: command.name,
    title: `${command.title}: ${labels.join(' and ')}${labels.length > 1 ? ' side by side' : ''}`,
    created: new Date().toISOString(),
    status: trained.status,
    command: written,
    measuredOn: task.measuredOn,
    headline: command.headline,
    columns: command.columns,
    arms: trained.arms,
    comparisons: trained.comparisons,
    samples: trained.samples,
    boundaries: trained.boundaries,
    rates: config.rates ?? null,
    data: task.facts,
    machine: [...machineFacts(), ...versions],
    config: config as unknown as Json,
  }
}
