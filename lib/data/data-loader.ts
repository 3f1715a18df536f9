import { moveAtEnd } from '../counters.js';
import { checkSeed } from '../generator.js';
import { applyOne } from '../graph/node.js';
import { batchRows, POSITION_WORD, writeRows } from '../ops/state/batch-rows.js';
import { gather } from '../ops/moving/gather.js';
import { keyOfSeed } from '../random.js';
import { checkOptionNames } from '../suggest.js';
import { DataError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { Variable } from '../variable.js';
import type { LabelledData } from './arrays.js';
import { checkBatchSize, checkWhole } from './batches.js';

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions {
  /** Rows of a batch, at most: a batch larger than the data is the data. Default 32. */
  readonly batchSize?: number;
  /** Decides the order of the rows. Default 0. */
  readonly seed?: number;
  /** The epoch that the stream begins with, counted from 0: each has an order of its own. Default 0. */
  readonly epoch?: number;
  /** Whether the rows come in another order in each epoch. Default true. */
  readonly shuffle?: boolean;
}

/** One batch, inside a traced function. */
export interface Batch {
  /** [B, ...inputShape] */
  readonly inputs: Tensor;
  /** Classes, i32 [B]. */
  readonly labels: Tensor;
}

/**
 * A data set on the device that hands out its batches there: it is uploaded once, and where it stands, and in which order
 * the rows come, is computed on the device, so that a step uploads nothing (compare `torch.utils.data.DataLoader`).
 *
 * The batches are an endless stream: each epoch has every row once, in an order that is a function of (seed, epoch),
 * the same as that of {@link batchIndices}; a batch that reaches beyond the end of an epoch goes on with the next one.
 *
 *     const loader = new DataLoader(data, { batchSize: 32, seed: 1 });
 *     const step = compile(() => {
 *       const { inputs, labels } = loader.next();
 *       optimizer.minimize(softmaxCrossEntropy(model.forward(inputs), labels), model.parameters());
 *     });
 *     await step.repeat(1000);
 */
export class DataLoader {
  /** Rows of the data set. */
  readonly count: number;
  /** Rows of a batch: as asked for, or all of the data. */
  readonly batchSize: number;
  readonly #shuffle: boolean;
  readonly #inputs: Variable;
  readonly #labels: Variable;
  /** Seed low, seed high, epoch, position (u32). */
  readonly #state: Variable;
  /** The rows of the next batch (i32), drawn when the last step was over. */
  readonly #rows: Variable;

  /**
   * Throws DataError for data without rows, OptionError for an unknown option, a batch size that is no whole number of 1
   * or more, or a seed or epoch that is none of 0 or more.
   */
  constructor(data: LabelledData, options: DataLoaderOptions = {}) {
    checkOptionNames('DataLoader', options, ['batchSize', 'seed', 'epoch', 'shuffle']);
    const { batchSize = 32, seed = 0, epoch = 0, shuffle = true } = options;
    checkBatchSize('DataLoader', batchSize);
    checkWhole('DataLoader: epoch', epoch, 0);
    this.count = data.labels.length;
    if (this.count === 0) throw new DataError('DataLoader: the data hold no rows');
    this.batchSize = Math.min(batchSize, this.count);
    this.#shuffle = shuffle;
    this.#inputs = new Variable('data.inputs', data.inputs, [this.count, ...data.inputShape]);
    this.#labels = new Variable('data.labels', data.labels);
    const state = Uint32Array.of(...keyOfSeed(checkSeed(seed)), epoch, 0);
    const rows = new Int32Array(this.batchSize);
    writeRows(rows, state, 0, { count: this.count, shuffle });
    this.#state = new Variable('data.state', state);
    this.#rows = new Variable('data.rows', rows);
  }

  /** Batches that an epoch begins: ⌈count / batchSize⌉. */
  get batchesPerEpoch(): number {
    return Math.ceil(this.count / this.batchSize);
  }

  /**
   * Inside a traced function: the batch behind the one that the last replay took.
   *
   * @param rowCount rows, where it is not `batchSize`: for a last, shorter batch of an epoch. At most all of the data
   */
  next(rowCount = this.batchSize): Batch {
    checkBatchSize('DataLoader.next', rowCount);
    const { count } = this;
    const size = Math.min(rowCount, count);
    const [state, shuffle] = [this.#state, this.#shuffle];
    const taken = moveAtEnd({ state, word: POSITION_WORD, limit: count, rows: this.#rows, shuffle }, size);
    const isReady = taken === 0 && size === this.batchSize;
    const rows = isReady ? this.#rows.value : applyOne(batchRows, [state.value], { count, size, shuffle, taken });
    return { inputs: gather(this.#inputs, rows), labels: gather(this.#labels, rows) };
  }

  /** Frees the buffers of the data set. */
  dispose(): void {
    for (const variable of [this.#inputs, this.#labels, this.#state, this.#rows]) variable.dispose();
  }
}
