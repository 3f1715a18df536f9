import { divide, subtract } from '../ops/pointwise/arithmetic.js';
import { tensor, type Tensor } from '../tensor.js';
import type { PictureLayout } from './picture-layout.js';

/** What is subtracted from each channel of a picture, and what it is divided by then (torchvision: `Normalize(mean, std)`). */
export interface Normalization {
  /** One number a channel. */
  readonly mean: readonly number[];
  /** One number a channel. */
  readonly deviation: readonly number[];
}

/** (pictures - mean) / deviation, channel by channel. */
export function normalize(pictures: Tensor, { mean, deviation }: Normalization, layout: PictureLayout): Tensor {
  const shape = layout === 'channels-first' ? [mean.length, 1, 1] : [mean.length];
  return divide(subtract(pictures, tensor(mean, { shape })), tensor(deviation, { shape }));
}
