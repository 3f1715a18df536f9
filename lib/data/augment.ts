import { instanceOf } from '../options.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { StreamedData } from './streamed-data.js';
import type { TrainingData } from './training-data.js';

/** A batch inside a traced function: rows of a data set, and where the data loader stands. */
export interface BatchPlace {
  /** i32 [B] */
  readonly rows: Tensor;
  /** Where their pictures stand in the table: the rows themselves, unless they are streamed. i32 [B] */
  readonly tableRows: Tensor;
  /** Seed low, seed high, epoch, position (u32). */
  readonly state: Tensor;
  /** Rows that the same step has taken already. */
  readonly taken: number;
}

/** Views of the rows of a batch, and what is to be predicted of them. */
export interface BatchOfViews {
  readonly inputs: Tensor;
  /** The targets, where they change with the views. */
  readonly targets?: Tensor;
  /** Of mixtures of examples with classes: how much of each class is in them, f32 [B, classes]. */
  readonly probabilities?: Tensor;
}

/** The pictures of a data set, on the device, as they are augmented. */
export interface AugmentedPictures {
  /**
   * Inside a traced function: views of a batch.
   *
   * @param outcomesOf the labels or targets of rows
   */
  next(place: BatchPlace, outcomesOf: (rows: Tensor) => Tensor): BatchOfViews;
  /** Of streamed data: puts the inputs of a batch into the table, [room, ...inputShape], of which those of `rows` are filled in. */
  load(inputs: Float32Array | Uint8Array, rows: readonly number[]): void;
  /** Frees the buffers. */
  dispose(): void;
}

/** What makes views of the pictures of a data set: `augmentation` gives one. */
export abstract class Augment {
  /** Whether examples are mixed, so that their classes are mixtures, too. */
  abstract readonly mixes: boolean;

  /** @internal The shape of the views of inputs of a shape. Throws DataError for what are no pictures that it can take. */
  abstract viewShape(inputShape: Shape): Shape;

  /** @internal How inputs of a shape are seen when a model is evaluated, with nothing drawn; undefined: as they are. */
  abstract plainFor(inputShape: Shape): Augment | undefined;

  /**
   * @internal The same: one view, that and its mirror image, or all eight quarter turns and mirror images, which are of views
   * as wide as high.
   */
  abstract plainViews(count: 1 | 2 | 8): readonly Augment[];

  /** @internal The pictures of a data set, for its data loader; of streamed data those of one batch. */
  abstract picturesOf(data: TrainingData | StreamedData, batchSize: number): AugmentedPictures;
}

export const augmentRule = instanceOf(Augment, 'what augmentation({ .. }) gives');
