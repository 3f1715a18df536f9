import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { any, f32, View } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import { type Shape, sizeOf } from '../../shape.js';
import { conv2dBenchmarks, type Conv2dCase, conv2dCases } from './conv2d-cases.js';
import { conv2dHost } from './conv2d-host.js';
import { conv2dSample, inputGradientSample, weightGradientSample } from './conv2d-sample.js';
import {
  checkChannels,
  checkGroups,
  checkWeight,
  checkWindows,
  type Conv2dAttributes,
  conv2dSizes,
  type PictureAttributes,
  weightShape,
} from './conv2d-sizes.js';
import { forEachTap } from './conv2d-taps.js';
import { productsOf, windowsIn } from './window.js';

// The three are each other's gradients, so they share a room. conv2d-taps.ts has the formula.

/** Sums of float32 products of normal numbers, up to 585 of them in the cases: √585 · 6e-8 · a few. */
const TOLERANCE = { absolute: 2e-5, relative: 1e-5 };

/** What is given may be stored as 16-bit floats; what comes out is f32. */
const given = any('f32', 'f16');

/** The types of both where a case does not say. */
const F32 = ['f32', 'f32'] as const;

/** A view of float64 sums, all 0. */
function sumsOf(shape: Shape): View {
  return new View({ data: new Float64Array(sizeOf(shape)), shape });
}

export const conv2dOperation: Operation<Conv2dAttributes> = defineOperation<Conv2dAttributes>()({
  name: 'conv2d',
  inputs: { picture: given('N', 'H', 'W', 'C'), weight: given('O', 'R', 'S', 'groupC') },
  outputs: { output: f32('N', 'P', 'Q', 'O') },
  infer({ specs: { picture, weight }, sizes: { N, H, W, C, O, groupC }, attributes }) {
    checkChannels('conv2d', picture.shape, weight.shape, groupC * attributes.groups);
    checkGroups('conv2d', O, 'weight', attributes.groups);
    checkWeight('conv2d', weight.shape, weightShape(C, O, attributes));
    return { output: [N, ...windowsIn('conv2d', [H, W], attributes), O] };
  },
  reference({ picture, weight, output }, _, attributes) {
    const sizes = conv2dSizes(picture.shape, output.shape, attributes);
    const sums = sumsOf(output.shape);
    forEachTap(sizes, attributes, (atPicture, atWeight, atOutput) => {
      let sum = 0;
      for (let c = 0; c < sizes.groupC; c++) sum += picture.at(atPicture + c) * weight.at(atWeight + c);
      sums.set(atOutput, sums.at(atOutput) + sum);
    });
    output.data.set(sums.data);
  },
  ...conv2dHost('output', () => conv2dOperation),
  gradient: ({ inputs: { picture, weight }, outputGradients: { output }, attributes, needs }) => ({
    picture: needs.picture
      ? applyOne(inputGradientOperation, [output, weight], { ...attributes, picture: picture.shape.slice(1, 3) })
      : undefined,
    weight: needs.weight ? applyOne(weightGradientOperation, [picture, output], attributes) : undefined,
  }),
  tolerance: TOLERANCE,
  cases: conv2dCases.map(conv2dCase),
  cost({ specs: { weight }, sizes: { N, H, W, O }, attributes }) {
    const output = [N, ...windowsIn('conv2d', [H, W], attributes), O];
    return { ...productsOf(sizeOf(weight.shape.slice(1)), output), terms: sizeOf(weight.shape.slice(1)) };
  },
  benchmarks: conv2dBenchmarks(conv2dCase),
  sample: conv2dSample,
});

export const inputGradientOperation: Operation<PictureAttributes> = defineOperation<PictureAttributes>()({
  name: 'conv2dInputGradient',
  inputs: { output: given('N', 'P', 'Q', 'O'), weight: given('O', 'R', 'S', 'groupC') },
  outputs: { picture: f32('N', 'H', 'W', 'C') },
  infer({ specs: { output, weight }, sizes: { N, O, groupC }, attributes }) {
    const { picture, groups } = attributes;
    const C = groupC * groups;
    checkGroups('conv2dInputGradient', O, 'output', groups);
    checkWeight('conv2dInputGradient', weight.shape, weightShape(C, O, attributes));
    checkWindows('conv2dInputGradient', picture, output.shape, attributes);
    return { picture: [N, ...picture, C] };
  },
  reference({ output, weight, picture }, _, attributes) {
    const sizes = conv2dSizes(picture.shape, output.shape, attributes);
    const sums = sumsOf(picture.shape);
    forEachTap(sizes, attributes, (atPicture, atWeight, atOutput) => {
      const factor = output.at(atOutput);
      for (let c = 0; c < sizes.groupC; c++) {
        sums.set(atPicture + c, sums.at(atPicture + c) + factor * weight.at(atWeight + c));
      }
    });
    picture.data.set(sums.data);
  },
  ...conv2dHost('picture', () => inputGradientOperation),
  gradient({ inputs: { output, weight }, outputGradients: { picture }, attributes, needs }) {
    const { kernel, stride, dilation, padding, groups } = attributes;
    const own: Conv2dAttributes = { kernel, stride, dilation, padding, groups };
    return {
      output: needs.output ? applyOne(conv2dOperation, [picture, weight], own) : undefined,
      weight: needs.weight ? applyOne(weightGradientOperation, [picture, output], own) : undefined,
    };
  },
  tolerance: TOLERANCE,
  cases: conv2dCases.map(inputGradientCase),
  cost({ specs: { output, weight }, sizes: { O, R, S }, attributes: { groups } }) {
    return { ...productsOf(sizeOf(weight.shape.slice(1)), output.shape), terms: (O / groups) * R * S };
  },
  benchmarks: conv2dBenchmarks(inputGradientCase),
  sample: inputGradientSample,
});

const weightGradientOperation: Operation<Conv2dAttributes> = defineOperation<Conv2dAttributes>()({
  name: 'conv2dWeightGradient',
  inputs: { picture: given('N', 'H', 'W', 'C'), output: given('N', 'P', 'Q', 'O') },
  outputs: { weight: f32('O', 'R', 'S', 'groupC') },
  infer({ specs: { output }, sizes: { H, W, C, O }, attributes }) {
    checkGroups('conv2dWeightGradient', C, 'picture', attributes.groups);
    checkGroups('conv2dWeightGradient', O, 'output', attributes.groups);
    checkWindows('conv2dWeightGradient', [H, W], output.shape, attributes);
    return { weight: weightShape(C, O, attributes) };
  },
  reference({ picture, output, weight }, _, attributes) {
    const sizes = conv2dSizes(picture.shape, output.shape, attributes);
    const sums = sumsOf(weight.shape);
    forEachTap(sizes, attributes, (atPicture, atWeight, atOutput) => {
      const factor = output.at(atOutput);
      for (let c = 0; c < sizes.groupC; c++) {
        sums.set(atWeight + c, sums.at(atWeight + c) + factor * picture.at(atPicture + c));
      }
    });
    weight.data.set(sums.data);
  },
  ...conv2dHost('weight', () => weightGradientOperation),
  gradient: ({ inputs: { picture, output }, outputGradients: { weight }, attributes, needs }) => ({
    picture: needs.picture
      ? applyOne(inputGradientOperation, [output, weight], { ...attributes, picture: picture.shape.slice(1, 3) })
      : undefined,
    output: needs.output ? applyOne(conv2dOperation, [picture, weight], attributes) : undefined,
  }),
  tolerance: TOLERANCE,
  cases: conv2dCases.map(weightGradientCase),
  cost({ specs: { picture, output }, attributes }) {
    const { N, P, Q, C, O } = conv2dSizes(picture.shape, output.shape, attributes);
    return { ...productsOf(sizeOf(weightShape(C, O, attributes).slice(1)), output.shape), terms: N * P * Q };
  },
  benchmarks: conv2dBenchmarks(weightGradientCase),
  sample: weightGradientSample,
});

function inputGradientCase({ picture, output, weight, attributes, types = F32 }: Conv2dCase) {
  return {
    inputs: { output: { shape: output, dtype: types[0] }, weight: { shape: weight, dtype: types[1] } },
    attributes: { ...attributes, picture: picture.slice(1, 3) },
  };
}

function weightGradientCase({ picture, output, attributes, types = F32 }: Conv2dCase) {
  return {
    inputs: { picture: { shape: picture, dtype: types[0] }, output: { shape: output, dtype: types[1] } },
    attributes,
  };
}

function conv2dCase({ picture, weight, attributes, types = F32 }: Conv2dCase) {
  return {
    inputs: { picture: { shape: picture, dtype: types[0] }, weight: { shape: weight, dtype: types[1] } },
    attributes,
  };
}

export const conv2dOperations = [conv2dOperation, inputGradientOperation, weightGradientOperation];
