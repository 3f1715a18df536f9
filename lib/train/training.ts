import { outcomesOf, type TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
import type { Device } from '../device/device.js';
import { placedBytes } from '../device/places.js';
import type { Module } from '../nn/module.js';
import type { PreparedPlan } from '../plan.js';
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

  /** Validates in batches that take about as much memory as the training does. */
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
    const slotBytes = (batched: Batched): number =>
      batched.prepare().reduce((sum, { program }) => sum + placedBytes(device, program).slots, 0);
    const most = Math.min(EVALUATION_BATCH, outcomesOf(data).count);
    const evaluator = inBatchesOf(most);
    const share = Math.max(SMALL_BYTES, slotBytes(this.trainer)) / slotBytes(evaluator);
    if (most <= batchSize || share >= 1) return evaluator;
    evaluator.dispose();
    return inBatchesOf(Math.max(batchSize, Math.floor(share * most)));
  }

  prepare(): PreparedPlan[] {
    return [...this.trainer.prepare(), ...(this.evaluator?.prepare() ?? [])];
  }

  /** Loads all plans side by side, so that their kernels are compiled at the same time. */
  async load(): Promise<void> {
    await Promise.all([this.trainer.load(), this.evaluator?.load()]);
  }

  dispose(): void {
    this.trainer.dispose();
    this.evaluator?.dispose();
  }
}
