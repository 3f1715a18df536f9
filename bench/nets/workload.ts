import { type PlainTensor, uniformNumbers } from '../step/workload.js';
import { type NetDescription, NET_CLASSES, type ParametricLayer, parametricLayers } from './description.js';

/** Batches, which are trained on in turn. */
export const NET_BATCHES = 2;

/** Of the optimizer, SGD as PyTorch defines it. */
export const NET_LEARNING_RATE = 0.001;

/** Of the optimizer. */
export const NET_MOMENTUM = 0.9;

/** Channels of a picture. */
export const CHANNELS = 3;

/** What every library trains a net on, and from where: the same numbers for all of them. */
export interface NetWorkload {
  /** f32 [NET_BATCHES · batch, height, width, CHANNELS] */
  readonly pictures: Float32Array;
  /** i32 [NET_BATCHES · batch] */
  readonly labels: Int32Array;
  /** By PyTorch's names and in its layouts: convolutions [out, in / groups, height, width], layers [out, in]. */
  readonly parameters: ReadonlyMap<string, PlainTensor>;
}

/** Pictures, labels and initial weights, made from a seed without any library; bench/peers/pytorch makes the same. */
export function makeNetWorkload({ pictureSize, batch, layers }: NetDescription, seed = 1): NetWorkload {
  const random = uniformNumbers(seed);
  const count = NET_BATCHES * batch;
  const numbers = pictureSize ** 2 * CHANNELS;
  const labels = Int32Array.from({ length: count }, (_, row) => row % NET_CLASSES);
  const pictures = Float32Array.from({ length: count * numbers }, (_, i) => {
    const label = Math.floor(i / numbers) % NET_CLASSES;
    return 0.9 * random() + 0.1 * ((i % numbers) % NET_CLASSES === label ? 1 : 0);
  });
  const parameters = parametricLayers(layers).flatMap((layer) => parametersOf(layer, random));
  return { pictures, labels, parameters: new Map(parameters) };
}

/** Weights by He et al.'s rule, uniform within ±√(6 / inputs); of batch norm as it is told, and 0; a layer's bias 0. */
function parametersOf(layer: ParametricLayer, random: () => number): (readonly [string, PlainTensor])[] {
  const drawn = (shape: readonly number[], inputs: number): PlainTensor => {
    const bound = Math.sqrt(6 / inputs);
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, data: Float32Array.from({ length }, () => (2 * random() - 1) * bound) };
  };
  const same = (length: number, value: number): PlainTensor => ({
    shape: [length],
    data: new Float32Array(length).fill(value),
  });
  const { name } = layer;
  switch (layer.layer) {
    case 'conv': {
      const { inChannels, outChannels, kernel, groups } = layer;
      const inputs = (inChannels / groups) * kernel ** 2;
      return [[`${name}.weight`, drawn([outChannels, inChannels / groups, kernel, kernel], inputs)]];
    }
    case 'batchNorm':
      return [
        [`${name}.weight`, same(layer.channels, layer.initial)],
        [`${name}.bias`, same(layer.channels, 0)],
      ];
    case 'dense':
      return [
        [`${name}.weight`, drawn([layer.outputs, layer.inputs], layer.inputs)],
        [`${name}.bias`, same(layer.outputs, 0)],
      ];
  }
}
