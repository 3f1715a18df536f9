import {
  type Augment,
  augmentation,
  DataLoader,
  type Device,
  type LabelledData,
  type PictureLayout,
  type PictureSize,
  run,
} from '../../index.js';
import { sizeOf } from '../../shape.js';

/** How pictures are augmented: not at all, 48 of one as in the article, or anew in each epoch. */
export const AUGMENTATIONS = ['none', 'article', 'recipe'] as const;

/** One of {@link AUGMENTATIONS}. */
export type AugmentationName = (typeof AUGMENTATIONS)[number];

/** The size that pictures are read in, for views of a size: photos are wide, and turned views want what is beyond them. */
export function storedSize(name: AugmentationName, { width, height }: PictureSize): PictureSize {
  if (name !== 'recipe') return { width, height };
  return { width: Math.round((width * 102) / 64), height: Math.round((height * 57) / 64) };
}

/** What `fit` is to do to pictures in each epoch; undefined: nothing. */
export function augmentFor(name: AugmentationName, size: PictureSize, layout: PictureLayout): Augment | undefined {
  return name === 'recipe' ? recipeAugmentation(size, layout) : undefined;
}

/** Views of pictures as those of a tool that lies anywhere, any way round, in any light (docs/reproduction.md). */
export function recipeAugmentation(size: PictureSize, layout: PictureLayout): Augment {
  return augmentation({
    ...{ size, layout, rotation: 180, scale: [0.8, 1.25], shift: 0.05, horizontalFlip: 0.5, verticalFlip: 0.5 },
    ...{ contrast: 0.25, brightness: 0.25, channelGain: 0.1 },
    cutOut: { size: Math.max(1, Math.round(Math.min(size.width, size.height) / 4)) },
  });
}

/** Views that are made at once. */
const AT_ONCE = 256;

/** The pictures as a net sees them when it is evaluated: plain views, where those that it was trained on have another size. */
export async function plainViewsOf(data: LabelledData, augment: Augment, device: Device): Promise<LabelledData> {
  const plain = augment.plainFor(data.inputShape);
  if (!plain) return data;
  const inputShape = plain.viewShape(data.inputShape);
  const count = data.labels.length;
  const inputs = new Float32Array(count * sizeOf(inputShape));
  const loader = new DataLoader(data, { batchSize: AT_ONCE, shuffle: false, augment: plain });
  for (let row = 0; row < count; row += AT_ONCE) {
    const views = await run(() => loader.next(Math.min(AT_ONCE, count - row)).inputs, { device });
    inputs.set(await views.data(), row * sizeOf(inputShape));
  }
  loader.dispose();
  return { ...data, inputs, inputShape, scale: 1 };
}
