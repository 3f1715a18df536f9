import { outcomesOf, type TrainingData } from '../data/training-data.js';
import type { Device } from '../device/device.js';
import { DeviceMemoryError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { PreparedPlan } from '../plan.js';
import { ownBytes } from '../plan-memory.js';
import type { Batched } from './batch-room.js';
import { Evaluator, EVALUATION_BATCH } from './evaluate.js';
import type { Objective } from './objective.js';
import { Trainer, type TrainerOptions } from './trainer.js';

/** A validation that takes no more than this is not worth being made smaller. */
const SMALL_BYTES = 2 ** 28;

/** A training with the validation that goes with it. */
export class Training implements Batched {
  readonly trainer: Trainer;
  readonly evaluator: Evaluator | undefined;

  constructor(
    model: Module,
    data: TrainingData,
    validation: TrainingData | undefined,
    objective: Objective,
    options: TrainerOptions & { readonly device: Device; readonly batchSize: number },
  ) {
    this.trainer = new Trainer(model, data, objective, options);
    this.evaluator = validation && this.#evaluator(model, validation, objective, options);
  }

  /** Validates in batches that take no more memory than the training does. */
  #evaluator(
    model: Module,
    data: TrainingData,
    objective: Objective,
    { device, batchSize }: { readonly device: Device; readonly batchSize: number },
  ): Evaluator {
    for (let size = Math.min(EVALUATION_BATCH, outcomesOf(data).count); ; size = Math.ceil(size / 2)) {
      const evaluator = new Evaluator(model, data, objective, { device, batchSize: size });
      if (size <= batchSize || bytesOf(evaluator) <= Math.max(SMALL_BYTES, bytesOf(this.trainer))) return evaluator;
      evaluator.dispose();
    }
  }

  prepare(): PreparedPlan[] {
    return [...this.trainer.prepare(), ...(this.evaluator?.prepare() ?? [])];
  }

  dispose(): void {
    this.trainer.dispose();
    this.evaluator?.dispose();
  }
}

/** Bytes that plans take for themselves; Infinity where a tensor is over a limit of the device. */
function bytesOf(batched: Batched): number {
  try {
    return batched.prepare().reduce((sum, { memory }) => sum + ownBytes(memory), 0);
  } catch (error) {
    if (error instanceof DeviceMemoryError) return Infinity;
    throw error;
  }
}
