import { moveAtEnd } from '../counters.js';
import { elementAt } from '../element-at.js';
import { DataError, OptionError, TraceError } from '../errors.js';
import { applyOne } from '../graph/node.js';
import { requireTrace } from '../graph/trace.js';
import { batchRows, POSITION_WORD, rowsFrom } from '../ops/state/batch-rows.js';
import { gather } from '../ops/moving/gather.js';
import {
  boolean,
  checkArgument,
  checkOptions,
  type OptionRules,
  seed as seedRule,
  show,
  wholeNumber,
} from '../options.js';
import { keyOfSeed } from '../random.js';
import { tensor, Tensor } from '../tensor.js';
import { Variable } from '../variable.js';
import { checkTrainingData } from './check-data.js';
import { type LabelledData, outcomesOf, type TargetData, type TrainingData } from './training-data.js';
import { type Augment, type AugmentedPictures, augmentRule } from './augment.js';
import { checkBatchSize } from './batches.js';
import { InputStream, inputsOf } from './input-stream.js';
import { isStreamed, type StreamedData, type StreamedLabelledData, type StreamedTargetData } from './streamed-data.js';

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
  /** What makes views of the pictures, anew in each epoch: `augmentation({ .. })`. Default: batches have the inputs themselves. */
  readonly augment?: Augment;
}

const RULES: OptionRules<DataLoaderOptions> = {
  batchSize: wholeNumber({ min: 1 }),
  seed: seedRule,
  epoch: wholeNumber({ min: 0 }),
  shuffle: boolean,
  augment: augmentRule,
};

/** One batch of examples with classes, inside a traced function. */
export interface Batch {
  /** f32 [B, ...inputShape] */
  readonly inputs: Tensor;
  /** Classes, i32 [B]; of mixtures (mixup) the main one. */
  readonly labels: Tensor;
  /** How much each example counts in the loss, f32 [B], where the data say so. */
  readonly weights?: Tensor;
  /** Of mixtures: how much of each class is in them, f32 [B, classes]. */
  readonly probabilities?: Tensor;
}

/** One batch of examples with numbers to be predicted, inside a traced function. */
export interface TargetBatch {
  /** f32 [B, ...inputShape] */
  readonly inputs: Tensor;
  /** f32 [B, ...targetShape] */
  readonly targets: Tensor;
  /** How much each example counts in the loss, f32 [B], where the data say so. */
  readonly weights?: Tensor;
}

/** What belongs to the same examples, by name: tensors whose first axis counts the examples. */
export type TensorRecord = Readonly<Record<string, Tensor>>;

/** The batches of a data set: rows of each of its tensors, under the same names. */
export type BatchOf<Data> = Data extends TargetData | StreamedTargetData
  ? TargetBatch
  : Data extends LabelledData | StreamedLabelledData
    ? Batch
    : { readonly [Name in keyof Data]: Tensor };

/** A tensor of the data set, on the device. */
interface Part {
  readonly name: string;
  readonly table: Variable;
  /** What bytes are multiplied by where they are read. */
  readonly scale: number;
  /** Whether it holds the rows of the next batch alone, in their order. */
  readonly isBatch?: boolean;
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
 *
 * Any number of tensors that belong to the same examples is a data set, too: `new DataLoader({ left, right, heights })`
 * gives batches `{ left, right, heights }`. Tensors of bytes (u8) stay bytes on the device; the batch has them as f32.
 *
 * Of {@link StreamedData} only labels or targets are uploaded at once. `load` brings the inputs of one batch, in the same order, and is
 * called before each step: `await loader.load(); await step();`.
 */
export class DataLoader<Data extends TrainingData | StreamedData | TensorRecord = LabelledData> {
  /** Rows of the data set. */
  readonly count: number;
  /** Rows of a batch: as asked for, or all of the data. */
  readonly batchSize: number;
  readonly #seed: number;
  readonly #shuffle: boolean;
  readonly #parts: readonly Part[];
  /** In the place of the inputs, where they are augmented. */
  readonly #pictures: AugmentedPictures | undefined;
  /** Seed low, seed high, epoch, position (u32). */
  readonly #state: Variable;
  /** The rows of the next batch (i32), drawn when the last step was over. */
  readonly #rows: Variable;
  readonly #stream: InputStream | undefined;
  /** Rows of the batch that was loaded of streamed data, and not used yet. */
  #loaded = 0;

  /**
   * Throws DataError for data without rows, or whose parts differ in their number, and OptionError for an unknown
   * option, a batch size that is no whole number of 1 or more, a seed or epoch that is none of 0 or more, or an augmentation of
   * tensors.
   */
  constructor(data: Data, options: DataLoaderOptions = {}) {
    checkOptions('DataLoader', options, RULES);
    const { batchSize = 32, seed = 0, epoch = 0, shuffle = true, augment } = options;
    this.#parts = partsOf(data, batchSize);
    this.count = commonCount(this.#parts.filter(({ isBatch }) => isBatch !== true));
    if (augment && isRecord(data)) {
      throw new OptionError('DataLoader: augment goes with training data, not with tensors by name');
    }
    this.#pictures = augment && !isRecord(data) ? augment.picturesOf(data, batchSize) : undefined;
    this.batchSize = Math.min(batchSize, this.count);
    this.#shuffle = shuffle;
    this.#seed = seed;
    this.#stream = isStreamed(data) ? new InputStream(data, { seed, shuffle }) : undefined;
    this.#stream?.seek(epoch, 0);
    const { state, rows } = this.#at(epoch, 0);
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
  next(rowCount = this.batchSize): BatchOf<Data> {
    checkBatchSize('DataLoader.next', rowCount);
    const { count } = this;
    const size = Math.min(rowCount, count);
    const [state, shuffle] = [this.#state, this.#shuffle];
    const taken = moveAtEnd({ state, word: POSITION_WORD, limit: count, rows: this.#rows, shuffle }, size);
    if (this.isStreamed) {
      if (taken > 0) throw new TraceError('DataLoader.next: of data that are streamed a step takes one batch');
      requireTrace('DataLoader.next').beforeReplay((replays) => this.#useLoaded(size, replays));
    }
    const isReady = taken === 0 && size === this.batchSize;
    const rows = isReady ? this.#rows.value : applyOne(batchRows, [state.value], { count, size, shuffle, taken });
    const tableRows = this.isStreamed ? inOrder(size) : rows;
    const read = ({ table, scale, isBatch }: Part, from: Tensor): Tensor =>
      gather(table, isBatch === true ? tableRows : from, table.dtype === 'u8' ? { scale } : {});
    const views = this.#pictures?.next({ rows, tableRows, state: state.value, taken }, (from) =>
      read(this.#outcomes, from),
    );
    const parts = this.#parts.filter(({ name }) => views === undefined || !(name in views));
    const batch = { ...Object.fromEntries(parts.map((part) => [part.name, read(part, rows)])), ...views };
    return batch as BatchOf<Data>;
  }

  /**
   * Goes to a place in the stream: the next batch begins with the row at `position` of an epoch's order. With the seed it is
   * all that a stream needs to go on as it would have. Throws OptionError unless the epoch is a whole number of 0 or more, and
   * the position one below {@link count}.
   */
  seek(epoch: number, position = 0): void {
    checkArgument('DataLoader.seek', 'epoch', epoch, wholeNumber({ min: 0 }));
    checkArgument('DataLoader.seek', 'position', position, wholeNumber({ min: 0, below: this.count }));
    const { state, rows } = this.#at(epoch, position);
    this.#state.set(state);
    this.#rows.set(rows);
    this.#stream?.seek(epoch, position);
    this.#loaded = 0;
  }

  /** @internal Whether the stream's place is kept there. */
  owns(variable: Variable): boolean {
    return variable === this.#state || variable === this.#rows;
  }

  #at(epoch: number, position: number): { readonly state: Uint32Array; readonly rows: Int32Array } {
    const state = Uint32Array.of(...keyOfSeed(this.#seed), epoch, position);
    return { state, rows: rowsFrom(state, 0, this.batchSize, { count: this.count, shuffle: this.#shuffle }) };
  }

  /** What is to be predicted of the examples. */
  get #outcomes(): Part {
    return elementAt(this.#parts, 1);
  }

  /** Whether batches have to be loaded: whether the data are {@link StreamedData}. */
  get isStreamed(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Brings the inputs of the next batch of streamed data; of other data they are there already. A batch that was loaded, and not
   * used yet, is the next one. Rejects with what reading an input did; loading again begins with the same batch.
   *
   * @param rowCount rows, as {@link next} is given them
   */
  async load(rowCount = this.batchSize): Promise<void> {
    checkBatchSize('DataLoader.load', rowCount);
    const size = Math.min(rowCount, this.batchSize);
    const table = this.#parts.find(({ isBatch }) => isBatch)?.table;
    if (!this.#stream || !table || this.#loaded === size) return;
    if (this.#loaded > 0)
      throw new TraceError(`DataLoader.load: a batch of ${this.#loaded} was loaded, and not used yet`);
    const { inputs, rows } = await this.#stream.take(size, this.batchSize);
    if (this.#pictures) this.#pictures.load(inputs, rows);
    else table.set(inputs);
    this.#loaded = size;
  }

  #useLoaded(size: number, replays: number): void {
    if (this.#loaded !== size || replays !== 1) {
      throw new TraceError(
        `DataLoader: ${replays === 1 ? 'a step takes' : `${replays} steps take`} ${size} rows of data that are streamed, and ` +
          `${this.#loaded === 0 ? 'none are' : `${this.#loaded} are`} loaded: await load() before each step`,
      );
    }
    this.#loaded = 0;
  }

  /** Frees the buffers of the data set. */
  dispose(): void {
    for (const { table } of this.#parts) table.dispose();
    this.#pictures?.dispose();
    this.#state.dispose();
    this.#rows.dispose();
  }
}

/** The rows of a table one after the other. */
function inOrder(count: number): Tensor {
  return tensor(Int32Array.from({ length: count }, (_, row) => row));
}

function partsOf(data: TrainingData | StreamedData | TensorRecord, batchSize: number): Part[] {
  if (isRecord(data)) {
    return Object.entries(data).map(([name, value]) => {
      const found: unknown = value;
      if (!(found instanceof Tensor)) throw new DataError(`DataLoader: ${name} is ${show(found)}; expected a tensor`);
      return { name, table: new Variable(`data.${name}`, found), scale: 1 };
    });
  }
  checkTrainingData('DataLoader: data that are not tensors by name', data);
  const { inputShape, scale = 1, weights } = data;
  const { name, values, count, shape } = outcomesOf(data);
  const isBatch = isStreamed(data);
  const rows = isBatch ? Math.min(batchSize, count) : count;
  const inputs = isBatch ? inputsOf(data, rows) : data.inputs;
  const table = new Variable('data.inputs', inputs, [rows, ...inputShape]);
  return [
    { name: 'inputs', table, scale, isBatch },
    { name, table: new Variable(`data.${name}`, values, [count, ...shape]), scale: 1 },
    ...(weights ? [{ name: 'weights', table: new Variable('data.weights', weights), scale: 1 }] : []),
  ];
}

function isRecord(data: TrainingData | StreamedData | TensorRecord | null | undefined): data is TensorRecord {
  return Object.values(data ?? {}).some((value: unknown) => value instanceof Tensor);
}

/** The number of rows, which all parts have. */
function commonCount(parts: readonly Part[]): number {
  const counts = parts.map(({ name, table: { shape } }) => {
    const [count] = shape;
    if (count === undefined) throw new DataError(`DataLoader: ${name} is a single number; expected one row an example`);
    return { name, count };
  });
  const [first] = counts;
  if (!first || first.count === 0) throw new DataError('DataLoader: the data hold no rows');
  const other = counts.find(({ count }) => count !== first.count);
  if (!other) return first.count;
  throw new DataError(`DataLoader: ${first.name} has ${first.count} rows, ${other.name} ${other.count}`);
}
