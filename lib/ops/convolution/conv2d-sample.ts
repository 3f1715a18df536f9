import { elementAt } from '../../element-at.js';
import type { ArrayView, Sample } from '../../graph/operation.js';
import type { Shape } from '../../shape.js';
import { sizeOf } from '../../shape.js';
import { type Conv2dAttributes, type Conv2dSizes, conv2dSizes, type PictureAttributes } from './conv2d-sizes.js';
import { spanOf, windowsIn } from './window.js';

interface Inputs<A> {
  readonly inputs: readonly ArrayView[];
  readonly attributes: A;
}

/** Places of a list: the first, the last and two between them that no tile begins with. */
function some(count: number): number[] {
  return [...new Set([0, Math.floor(count / 3), Math.floor((2 * count) / 3), count - 1])];
}

/** Rows from one on, of pictures [N, H, W, C], each as a picture of its own; those that do not exist are zeros. */
function strips(
  { data, shape }: ArrayView,
  starts: readonly (readonly [n: number, row: number])[],
  rows: number,
): ArrayView {
  const [H, row] = [elementAt(shape, 1), sizeOf(shape.slice(2))];
  const picked = new Float32Array(starts.length * rows * row);
  starts.forEach(([n, first], strip) => {
    for (let h = Math.max(first, 0); h < Math.min(first + rows, H); h++) {
      const from = (n * H + h) * row;
      picked.set(data.subarray(from, from + row), (strip * rows + h - first) * row);
    }
  });
  return { data: picked, shape: [starts.length, rows, ...shape.slice(2)] };
}

/** The elements of rows from one on, in the order of {@link strips}. */
function placesOf(
  shape: Shape,
  starts: readonly (readonly [n: number, row: number])[],
  rows: number,
): readonly number[] {
  const [H, row] = [elementAt(shape, 1), sizeOf(shape.slice(2))];
  return starts.flatMap(([n, first]) => Array.from({ length: rows * row }, (_, i) => (n * H + first) * row + i));
}

/** Some rows of the output, each from the strip of the picture under its windows. */
export function conv2dSample({ inputs, attributes }: Inputs<Conv2dAttributes>): Sample<Conv2dAttributes> {
  const [picture, weight] = [elementAt(inputs, 0), elementAt(inputs, 1)];
  const windows = windowsIn('conv2d', picture.shape.slice(1, 3), attributes);
  const output = [elementAt(picture.shape, 0), ...windows, elementAt(weight.shape, 0)];
  const { N, P } = conv2dSizes(picture.shape, output, attributes);
  const { kernel, stride, dilation, padding } = attributes;
  const starts = some(N * P).map((row) => [Math.floor(row / P), row % P] as const);
  const rows = starts.map(([n, p]) => [n, p * elementAt(stride, 0) - elementAt(padding, 0)] as const);
  const span = spanOf(elementAt(kernel, 0), elementAt(dilation, 0));
  return {
    inputs: [strips(picture, rows, span), weight],
    attributes: { ...attributes, padding: [0, 0, ...padding.slice(2)] },
    places: placesOf(output, starts, 1),
  };
}

/** Some rows of the picture, as many side by side as the stride, from the windows that cover them. */
export function inputGradientSample({ inputs, attributes }: Inputs<PictureAttributes>): Sample<PictureAttributes> {
  const [output, weight] = [elementAt(inputs, 0), elementAt(inputs, 1)];
  const { kernel, stride, dilation, padding, picture, groups } = attributes;
  const [H, W] = [elementAt(picture, 0), elementAt(picture, 1)];
  const N = elementAt(output.shape, 0);
  const [strideH, top] = [elementAt(stride, 0), elementAt(padding, 0)];
  // Strips begin where windows do.
  const offset = (strideH - (top % strideH)) % strideH;
  const perPicture = Math.floor((H - offset) / strideH);
  if (perPicture < 1) {
    return { inputs, attributes, places: Array.from({ length: N * H * W * channelsOf(weight, groups) }, (_, i) => i) };
  }
  const starts = some(N * perPicture).map(
    (strip) => [Math.floor(strip / perPicture), offset + (strip % perPicture) * strideH] as const,
  );
  // Windows that begin before the strip and reach into it, and the one that begins with it.
  const before = Math.ceil(spanOf(elementAt(kernel, 0), elementAt(dilation, 0)) / strideH) - 1;
  const windows = starts.map(([n, h]) => [n, (h + top) / strideH - before] as const);
  const below = Math.max(0, spanOf(elementAt(kernel, 0), elementAt(dilation, 0)) - strideH);
  return {
    inputs: [strips(output, windows, before + 1), weight],
    attributes: {
      ...attributes,
      picture: [strideH, W],
      padding: [before * strideH, below, ...padding.slice(2)],
    },
    places: placesOf([N, H, W, channelsOf(weight, groups)], starts, strideH),
  };
}

function channelsOf({ shape }: ArrayView, groups: number): number {
  return elementAt(shape, 3) * groups;
}

/** All places of a window between some channels of the last group. */
export function weightGradientSample({ inputs, attributes }: Inputs<Conv2dAttributes>): Sample<Conv2dAttributes> {
  const [picture, output] = [elementAt(inputs, 0), elementAt(inputs, 1)];
  const { R, S, C, O, groupC, groupO }: Conv2dSizes = conv2dSizes(picture.shape, output.shape, attributes);
  const [ofC, ofO] = [some(groupC), some(groupO)];
  const places = ofO.flatMap((o) =>
    Array.from({ length: R * S }, (_, tap) => ofC.map((c) => ((O - groupO + o) * R * S + tap) * groupC + c)).flat(),
  );
  return {
    inputs: [
      channels(
        picture,
        ofC.map((c) => C - groupC + c),
      ),
      channels(
        output,
        ofO.map((o) => O - groupO + o),
      ),
    ],
    attributes: { ...attributes, groups: 1 },
    places,
  };
}

/** Some channels of pictures. */
function channels({ data, shape }: ArrayView, picked: readonly number[]): ArrayView {
  const C = elementAt(shape, 3);
  const places = sizeOf(shape.slice(0, 3));
  const values = new Float32Array(places * picked.length);
  for (let place = 0; place < places; place++) {
    picked.forEach((c, i) => {
      values[place * picked.length + i] = elementAt(data, place * C + c);
    });
  }
  return { data: values, shape: [...shape.slice(0, 3), picked.length] };
}
