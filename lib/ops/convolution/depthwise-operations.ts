import { ShapeError } from '../../errors.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { any, f32, View } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import { formatShape, type Shape, sizeOf } from '../../shape.js';
import { backwardMeetings, forwardMeetings } from './depthwise-axes.js';
import { depthwiseCases } from './depthwise-cases.js';
import { depthwiseHost } from './depthwise-host.js';
import { depthwiseSizes, type DepthwisePictureAttributes, forEachDepthwiseTap } from './depthwise-sizes.js';
import { weightGradientLaunches } from './depthwise-weight-launches.js';
import { weightGradientPhases } from './depthwise-weight-simd.js';
import { productsOf, type WindowAttributes, windowsIn } from './window.js';

// The three are each other's gradients, so they share a room. depthwise-sizes.ts has the formula.

/** Sums of up to 272 float32 products of normal numbers: √272 · 6e-8 · a few. */
const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };

/** What is given may be stored as 16-bit floats; what comes out is f32. */
const given = any('f32', 'f16');

/** Float64 sums of a tensor's elements, all 0. */
function sumsOf(shape: Shape): View {
  return new View({ data: new Float64Array(sizeOf(shape)), shape });
}

/** Adds the products of C channels, from these places on. */
function addProducts(sums: View, to: number, a: View, atA: number, b: View, atB: number, C: number): void {
  for (let c = 0; c < C; c++) sums.set(to + c, sums.at(to + c) + a.at(atA + c) * b.at(atB + c));
}

export const depthwiseOperation: Operation<WindowAttributes> = defineOperation<WindowAttributes>()({
  name: 'depthwiseConv2d',
  inputs: { picture: given('N', 'H', 'W', 'C'), weight: given('R', 'S', 'channels') },
  outputs: { output: f32('N', 'P', 'Q', 'C') },
  infer({ specs: { picture, weight }, sizes: { N, H, W, C, channels }, attributes }) {
    if (C !== channels) {
      throw new ShapeError(
        `depthwiseConv2d: the weight ${formatShape(weight.shape)} is for ${channels} channels, the picture ` +
          `${formatShape(picture.shape)} has ${C}; pictures are [N, height, width, channels]` +
          (H === channels ? ': transpose(picture, [0, 2, 3, 1]) makes one of [N, channels, height, width]' : ''),
      );
    }
    return { output: [N, ...windowsIn('depthwiseConv2d', [H, W], attributes), C] };
  },
  reference({ picture, weight, output }, { C }, attributes) {
    const sums = sumsOf(output.shape);
    forEachDepthwiseTap(
      depthwiseSizes(picture.shape, output.shape, attributes),
      attributes,
      (atPicture, atWeight, atOutput) => {
        addProducts(sums, atOutput, picture, atPicture, weight, atWeight, C);
      },
    );
    output.data.set(sums.data);
  },
  ...depthwiseHost(() => depthwiseOperation as Operation, forwardMeetings),
  gradient: ({ inputs: { picture, weight }, outputGradients: { output }, attributes, needs }) => ({
    picture: needs.picture
      ? applyOne(inputGradientOperation, [output, weight], { ...attributes, picture: picture.shape.slice(1, 3) })
      : undefined,
    weight: needs.weight ? applyOne(weightGradientOperation, [picture, output], attributes) : undefined,
  }),
  tolerance: TOLERANCE,
  ...depthwiseCases(({ picture, weight, attributes, types: [first, second] }) => ({
    inputs: { picture: { shape: picture, dtype: first }, weight: { shape: weight, dtype: second } },
    attributes,
  })),
  cost({ sizes: { N, H, W, C, R, S }, attributes }) {
    const windows = windowsIn('depthwiseConv2d', [H, W], attributes);
    return { ...productsOf(R * S, [N, ...windows, C]), terms: R * S };
  },
});

const inputGradientOperation: Operation<DepthwisePictureAttributes> = defineOperation<DepthwisePictureAttributes>()({
  name: 'depthwiseConv2dInputGradient',
  inputs: { output: given('N', 'P', 'Q', 'C'), weight: given('R', 'S', 'C') },
  outputs: { picture: f32('N', 'H', 'W', 'C') },
  infer: ({ sizes: { N, C }, attributes: { picture } }) => ({ picture: [N, ...picture, C] }),
  reference({ output, weight, picture }, { C }, attributes) {
    const sums = sumsOf(picture.shape);
    forEachDepthwiseTap(
      depthwiseSizes(picture.shape, output.shape, attributes),
      attributes,
      (atPicture, atWeight, atOutput) => {
        addProducts(sums, atPicture, output, atOutput, weight, atWeight, C);
      },
    );
    picture.data.set(sums.data);
  },
  ...depthwiseHost(() => inputGradientOperation as Operation, backwardMeetings),
  gradient({ inputs: { output, weight }, outputGradients: { picture }, attributes, needs }) {
    const { kernel, stride, dilation, padding } = attributes;
    const window = { kernel, stride, dilation, padding };
    return {
      output: needs.output ? applyOne(depthwiseOperation, [picture, weight], window) : undefined,
      weight: needs.weight ? applyOne(weightGradientOperation, [picture, output], window) : undefined,
    };
  },
  tolerance: TOLERANCE,
  ...depthwiseCases(({ picture, weight, output, attributes, types: [first, second] }) => ({
    inputs: { output: { shape: output, dtype: first }, weight: { shape: weight, dtype: second } },
    attributes: { ...attributes, picture: picture.slice(1, 3) },
  })),
  cost: ({ specs: { output }, sizes: { R, S } }) => ({ ...productsOf(R * S, output.shape), terms: R * S }),
});

const weightGradientOperation: Operation<WindowAttributes> = defineOperation<WindowAttributes>()({
  name: 'depthwiseConv2dWeightGradient',
  inputs: { picture: given('N', 'H', 'W', 'C'), output: given('N', 'P', 'Q', 'C') },
  outputs: { weight: f32('R', 'S', 'C') },
  infer: ({ sizes: { C }, attributes: { kernel } }) => ({ weight: [...kernel, C] }),
  reference({ picture, output, weight }, { C }, attributes) {
    const sums = sumsOf(weight.shape);
    forEachDepthwiseTap(
      depthwiseSizes(picture.shape, output.shape, attributes),
      attributes,
      (atPicture, atWeight, atOutput) => {
        addProducts(sums, atWeight, picture, atPicture, output, atOutput, C);
      },
    );
    weight.data.set(sums.data);
  },
  readsFloat16: true,
  kernel({ specs: { picture, output }, attributes }, target) {
    const types = { picture: picture.dtype, output: output.dtype };
    return weightGradientLaunches(depthwiseSizes(picture.shape, output.shape, attributes), attributes, types, target);
  },
  simd: ({ specs: { picture, output }, attributes }) =>
    weightGradientPhases(depthwiseSizes(picture.shape, output.shape, attributes), attributes),
  gradient: ({ inputs: { picture, output }, outputGradients: { weight }, attributes, needs }) => ({
    picture: needs.picture
      ? applyOne(inputGradientOperation, [output, weight], { ...attributes, picture: picture.shape.slice(1, 3) })
      : undefined,
    output: needs.output ? applyOne(depthwiseOperation, [picture, weight], attributes) : undefined,
  }),
  tolerance: TOLERANCE,
  ...depthwiseCases(({ picture, output, attributes, types: [first, second] }) => ({
    inputs: { picture: { shape: picture, dtype: first }, output: { shape: output, dtype: second } },
    attributes,
  })),
  cost({ specs: { output }, sizes: { N, P, Q }, attributes: { kernel } }) {
    return { ...productsOf(sizeOf(kernel), output.shape), terms: N * P * Q };
  },
});

export const depthwiseOperations = [depthwiseOperation, inputGradientOperation, weightGradientOperation];
