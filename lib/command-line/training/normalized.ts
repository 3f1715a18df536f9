import type { LabelledData } from '../../index.js';

/** What is subtracted of each channel, and what it is divided by. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Numbers from -2 to 2. */
export const CENTRED: Normalization = { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] };
/** What torchvision's weights were trained with: mean and deviation of ImageNet's pictures. */
export const IMAGENET: Normalization = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/** Pictures [height, width, channels] whose channels are normalized. */
export function normalized(pictures: LabelledData, { mean, deviation }: Normalization): LabelledData {
  const channels = mean.length;
  const inputs = Float32Array.from(pictures.inputs, (value, i) => {
    const channel = i % channels;
    return (value - (mean[channel] ?? NaN)) / (deviation[channel] ?? NaN);
  });
  return { ...pictures, inputs };
}
