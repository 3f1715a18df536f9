import type { Command } from './command.js';

/** The commands by name. Each is loaded where it is asked for. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import('./commands/train.js')).trainCommand,
  predict: async () => (await import('./commands/predict.js')).predictCommand,
  evaluate: async () => (await import('./commands/evaluate.js')).evaluateCommand,
  summary: async () => (await import('./commands/summary.js')).summaryCommand,
  audit: async () => (await import('./commands/audit.js')).auditCommand,
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand,
};
