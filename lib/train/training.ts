import { outcomesOf, type TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
import type { Device } from '../device/device.js';
import { DeviceMemoryError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { PreparedPlan } from '../plan.js';
import { byLargestShared } from '../plan-memory.js';
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
    data: TrainingData | StreamedData,
    validation: TrainingData | StreamedData | undefined,
    objective: Objective,
    options: TrainerOptions & { readonly device: Device; readonly batchSize: number },
  ) {
    this.trainer = new Trainer(model, data, objective, options);
    this.evaluator = validation && this.#evaluator(model, validation, objective, options);
  }

  /** Validates in batches that find about all the memory they need in what the training takes. */
  #evaluator(
    model: Module,
    data: TrainingData | StreamedData,
    objective: Objective,
    {
      device,
      batchSize,
      augment,
    }: Pick<TrainerOptions, 'augment'> & { readonly device: Device; readonly batchSize: number },
  ): Evaluator {
    const inBatchesOf = (size: number): Evaluator =>
      new Evaluator(model, data, objective, { device, batchSize: size, ...(augment && { augment }) });
    const most = Math.min(EVALUATION_BATCH, outcomesOf(data).count);
    const evaluator = inBatchesOf(most);
    if (most <= batchSize) return evaluator;
    const share = shareWithin(this.trainer.prepare(), evaluator.prepare());
    if (share >= 1) return evaluator;
    evaluator.dispose();
    return inBatchesOf(Math.max(batchSize, Math.floor(share * most)));
  }

  prepare(): PreparedPlan[] {
    return [...this.trainer.prepare(), ...(this.evaluator?.prepare() ?? [])];
  }

  /** Loads all plans side by side, so that their kernels are compiled at the same time. */
  async load(): Promise<void> {
    const steps = [...this.trainer.functions(), ...(this.evaluator?.functions() ?? [])];
    steps.sort((a, b) => byLargestShared(a.prepare(), b.prepare()));
    await Promise.all(steps.map((step) => step.load()));
  }

  dispose(): void {
    this.trainer.dispose();
    this.evaluator?.dispose();
  }
}

/**
 * Which part of a validation's batch finds room in the buffers of a training; all of it where it takes little anyway, and none
 * where it has a tensor over a limit of the device.
 */
function shareWithin(training: readonly PreparedPlan[], validation: readonly PreparedPlan[]): number {
  const largest = (plans: readonly PreparedPlan[]): readonly number[] =>
    [...(plans[0]?.shared ?? [])].sort((a, b) => b - a);
  try {
    const [there, wanted] = [largest(training), largest(validation)];
    const sum = wanted.reduce((total, bytes) => total + bytes, 0);
    return Math.max(SMALL_BYTES / sum, Math.min(...wanted.map((bytes, i) => (there[i] ?? 0) / bytes)));
  } catch (error) {
    if (error instanceof DeviceMemoryError) return 0;
    throw error;
  }
}
