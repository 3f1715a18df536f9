import { type CompiledFunction, compileIn } from '../compile.js';
import type { TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
import type { Batch, DataLoader, TargetBatch } from '../data/data-loader.js';
import { type Mode, record, requireTrace, type Trace } from '../graph/trace.js';
import type { PreparedPlan } from '../plan.js';
import type { RunOptions } from '../run.js';

/** A step over each batch of an epoch: as many full batches as there are, and one of what is left. */
export class EpochSteps {
  /** How many there are. */
  readonly count: number;
  readonly #fullBatches: number;
  readonly #full: CompiledFunction<void>;
  readonly #last: CompiledFunction<void> | undefined;
  readonly #record: () => Trace;
  readonly #loader: DataLoader<TrainingData | StreamedData>;
  #queued = 0;

  /** @param step is given a batch, and the number of its rows */
  constructor(
    mode: Mode,
    loader: DataLoader<TrainingData | StreamedData>,
    step: (batch: Batch | TargetBatch, rows: number) => void,
    options: RunOptions,
  ) {
    const { count, batchSize } = loader;
    const countSteps = (replays: number): void => {
      this.#queued += replays;
    };
    const stepOf = (size: number): CompiledFunction<void> =>
      compileIn(
        mode,
        () => {
          requireTrace('a step').beforeReplay(countSteps);
          step(loader.next(size), size);
        },
        options,
      );
    this.#record = () => record(() => step(loader.next(), batchSize), mode).trace;
    this.#loader = loader;
    this.count = loader.batchesPerEpoch;
    this.#fullBatches = Math.floor(count / batchSize);
    this.#full = stepOf(batchSize);
    this.#last = count % batchSize > 0 ? stepOf(count % batchSize) : undefined;
  }

  /** The plans of an epoch, before they are loaded. */
  prepare(): PreparedPlan[] {
    return this.functions().map((step) => step.prepare());
  }

  /** A step over a full batch and one over what is left, where there are such. */
  functions(): CompiledFunction<void>[] {
    return [this.#fullBatches > 0 ? this.#full : undefined, this.#last].filter((step) => step !== undefined);
  }

  /** A recording of a step over a full batch. */
  record(): Trace {
    return this.#record();
  }

  /**
   * Queues steps of an epoch, all of them or so many from one on, and says how many: an aborted signal ends it between two
   * submits.
   */
  async run(from = 0, count = this.count - from, signal?: AbortSignal): Promise<number> {
    const before = this.#queued;
    if (this.#loader.isStreamed) return this.#runLoading(from, count, signal);
    const full = Math.min(count, this.#fullBatches - from);
    if (full > 0) await this.#full.repeat(full, [], signal && { signal });
    if (from + count > this.#fullBatches && signal?.aborted !== true) await this.#last?.();
    return this.#queued - before;
  }

  /** The same of data whose batches are loaded one by one. */
  async #runLoading(from: number, count: number, signal: AbortSignal | undefined): Promise<number> {
    let steps = 0;
    for (; steps < count && !isAborted(signal); steps++) {
      const isFull = from + steps < this.#fullBatches;
      await this.#loader.load(isFull ? this.#loader.batchSize : this.#loader.count % this.#loader.batchSize);
      if (isAborted(signal)) break; // the batch stays loaded
      await (isFull ? this.#full : this.#last)?.repeat(1);
    }
    return steps;
  }

  dispose(): void {
    this.#full.dispose();
    this.#last?.dispose();
  }
}

/** Aborting happens meanwhile, which the compiler does not see. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
