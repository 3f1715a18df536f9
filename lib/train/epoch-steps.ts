import { type CompiledFunction, compileIn } from '../compile.js';
import type { TrainingData } from '../data/training-data.js';
import type { Batch, DataLoader, TargetBatch } from '../data/data-loader.js';
import type { Mode } from '../graph/trace.js';
import type { PreparedPlan } from '../plan.js';
import type { RunOptions } from '../run.js';

/** A step over each batch of an epoch: as many full batches as there are, and one of what is left. */
export class EpochSteps {
  readonly #fullBatches: number;
  readonly #full: CompiledFunction<void>;
  readonly #last: CompiledFunction<void> | undefined;

  /** @param step is given a batch, and the number of its rows */
  constructor(
    mode: Mode,
    loader: DataLoader<TrainingData>,
    step: (batch: Batch | TargetBatch, rows: number) => void,
    options: RunOptions,
  ) {
    const { count, batchSize } = loader;
    const stepOf = (size: number): CompiledFunction<void> =>
      compileIn(mode, () => step(loader.next(size), size), options);
    this.#fullBatches = Math.floor(count / batchSize);
    this.#full = stepOf(batchSize);
    this.#last = count % batchSize > 0 ? stepOf(count % batchSize) : undefined;
  }

  /** The plans of an epoch, before they are loaded. */
  prepare(): PreparedPlan[] {
    const steps = [this.#fullBatches > 0 ? this.#full : undefined, this.#last];
    return steps.filter((step) => step !== undefined).map((step) => step.prepare());
  }

  /** Queues one epoch. An aborted signal ends it between two submits. */
  async run(signal?: AbortSignal): Promise<void> {
    if (this.#fullBatches > 0) await this.#full.repeat(this.#fullBatches, [], signal && { signal });
    if (signal?.aborted !== true) await this.#last?.();
  }

  dispose(): void {
    this.#full.dispose();
    this.#last?.dispose();
  }
}
