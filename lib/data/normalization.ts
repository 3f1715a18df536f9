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
  // What is the same for all channels is one number, which needs no walk over channels.
  const ofChannels = ([first = NaN, ...others]: readonly number[]): Tensor | number =>
    others.every((value) => value === first)
      ? first
      : tensor([first, ...others], {
          shape: layout === 'channels-first' ? [others.length + 1, 1, 1] : [others.length + 1],
        });
  return divide(subtract(pictures, ofChannels(mean)), ofChannels(deviation));
}
