/** Convolutions of 3 x 3 by Winograd's tiles on the CPU's SIMD kernels: which go that way, their rounding errors, NaN. */
import test from 'tape';
import { elementAt } from '../../../lib/element-at.js';
import type { SimdArgument, SimdPhase } from '../../../lib/graph/simd.js';
import { conv2d, run, tensor } from '../../../lib/index.js';
import { conv2dSimdPhases, inputGradientSimdPhases } from '../../../lib/ops/convolution/conv2d-simd.js';
import { weightGradientSimdPhases } from '../../../lib/ops/convolution/conv2d-simd-weight-gradient.js';
import { type Conv2dAttributes, conv2dSizes } from '../../../lib/ops/convolution/conv2d-sizes.js';
import { forEachTap } from '../../../lib/ops/convolution/conv2d-taps.js';
import { pairOf, windowOf, type WindowOptions, windowsIn } from '../../../lib/ops/convolution/window.js';
import { winogradInputGradientPhases, winogradPhases } from '../../../lib/ops/convolution/winograd-products.js';
import { winogradWeightGradientPhases } from '../../../lib/ops/convolution/winograd-weight-gradient.js';
import { RandomStream } from '../../../lib/random.js';
import { sizeOf } from '../../../lib/shape.js';
import { simd } from '../../support/devices.js';
import { callSimd, memory } from '../../support/simd-call.js';

const stream = new RandomStream(11, 'winograd');

type Picture = readonly [N: number, H: number, W: number, C: number];
type Options = WindowOptions & { readonly groups?: number; readonly kernel?: number };

function convolution(picture: Picture, O: number, { groups = 1, kernel = 3, ...window }: Options = {}) {
  const size = [picture[1], picture[2]] as const;
  const attributes: Conv2dAttributes = { ...windowOf(size, pairOf(kernel), window), groups };
  const output = [picture[0], ...windowsIn('conv2d', size, attributes), O];
  return {
    sizes: conv2dSizes(picture, output, attributes),
    attributes,
    output,
    weight: [O, kernel, kernel, picture[3]],
  };
}

/** What the phases compute of two inputs. */
function computed(
  phases: readonly SimdPhase[] | undefined,
  inputs: readonly Float32Array[],
  size: number,
): Float32Array {
  let end = 1024;
  const place = (bytes: number): number => {
    const start = end;
    end = 64 * Math.ceil((start + bytes) / 64);
    return start;
  };
  const sources = inputs.map((input) => place(input.byteLength));
  const target = place(4 * size);
  const scratch = place(Math.max(...(phases ?? []).map(({ scratchBytes = 0 }) => scratchBytes)));
  const shared = place(Math.max(...(phases ?? []).map(({ sharedBytes = 0 }) => sharedBytes)));
  if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / 65_536));
  const floats = new Float32Array(memory.buffer);
  inputs.forEach((input, i) => floats.set(input, elementAt(sources, i) / 4));
  const address = (argument: SimdArgument): number => {
    if (typeof argument === 'number') return argument;
    const { offset = 0 } = argument;
    if ('input' in argument) return elementAt(sources, argument.input) + offset;
    return offset + ('output' in argument ? target : 'scratch' in argument ? scratch : shared);
  };
  for (const { kernel, arguments: own } of (phases ?? []).flatMap(({ tasks }) => tasks.flat())) {
    callSimd(kernel, own.map(address));
  }
  return floats.slice(target / 4, target / 4 + size);
}

/** A convolution and its gradients of normal numbers: both ways on SIMD, and the sums in float64. */
function bothWays(picture: Picture, O: number, options: Options) {
  const { sizes, attributes, output, weight } = convolution(picture, O, options);
  const [x, w, dy] = [picture, weight, output].map((shape) => stream.normal(sizeOf(shape)));
  const [ofOutput, ofPicture, ofWeight] = [output, picture, weight].map((shape) => new Float64Array(sizeOf(shape)));
  if (!x || !w || !dy || !ofOutput || !ofPicture || !ofWeight) throw new Error('three tensors');
  forEachTap(sizes, attributes, (atPicture, atWeight, atOutput) => {
    for (let c = 0; c < sizes.groupC; c++) {
      const [own, factor, gradient] = [x[atPicture + c] ?? 0, w[atWeight + c] ?? 0, dy[atOutput] ?? 0];
      ofOutput[atOutput] = (ofOutput[atOutput] ?? 0) + own * factor;
      ofPicture[atPicture + c] = (ofPicture[atPicture + c] ?? 0) + gradient * factor;
      ofWeight[atWeight + c] = (ofWeight[atWeight + c] ?? 0) + gradient * own;
    }
  });
  return (
    [
      ['output', winogradPhases, conv2dSimdPhases, [x, w], ofOutput],
      ['gradient of the picture', winogradInputGradientPhases, inputGradientSimdPhases, [dy, w], ofPicture],
      ['gradient of the weight', winogradWeightGradientPhases, weightGradientSimdPhases, [x, dy], ofWeight],
    ] as const
  ).map(([name, byTiles, byWindows, inputs, sums]) => {
    const tiles = byTiles(sizes, attributes);
    const got = computed(tiles, inputs, sums.length);
    const direct = computed(byWindows(sizes, attributes), inputs, sums.length);
    return { name, isByTiles: tiles !== undefined, error: meanError(got, sums), usual: meanError(direct, sums) };
  });
}

function meanError(values: Float32Array, expected: Float64Array): number {
  const squares = values.reduce((sum, value, i) => sum + (value - elementAt(expected, i)) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

test('tiles round at most twice as much as sums of windows', (t) => {
  for (const [picture, O, options] of [
    [[2, 16, 16, 32], 64, { padding: 1 }],
    [[6, 8, 8, 40], 40, { padding: 1 }], // several pictures in a block
    [[1, 16, 12, 136], 72, { padding: 1 }], // channels that are no whole parts, and a part of a chunk
    [[34, 9, 9, 16], 72, { padding: 1 }], // tiles that are no whole fours, two chunks
    [[1, 61, 67, 24], 16, { padding: 1 }], // tiles over the edge, blocks of rows
    [[3, 13, 11, 32], 48, {}], // no place beside the picture
    [[5, 9, 9, 32], 32, { padding: 2 }], // places that meet zeros alone
    [[4, 10, 9, 32], 32, { padding: [2, 0, 1, 2] }],
    [[40, 4, 2, 32], 32, { padding: 1 }], // one tile a picture
  ] as const satisfies readonly (readonly [Picture, number, Options])[]) {
    for (const { name, isByTiles, error, usual } of bothWays(picture, O, options)) {
      const of = `${name} of ${picture.join(' x ')} to ${O}`;
      t.ok(isByTiles, of);
      t.ok(error < 2.2 * usual, `${of}: ${error.toExponential(1)}, by windows ${usual.toExponential(1)}`);
    }
  }
  t.end();
});

test('other windows, few places and odd channels go window by window', (t) => {
  for (const [picture, O, options] of [
    [[8, 32, 32, 32], 32, { padding: 1, stride: 2 }],
    [[8, 32, 32, 32], 32, { padding: 2, dilation: 2 }],
    [[8, 32, 32, 32], 32, { padding: 2, kernel: 5 }],
    [[8, 32, 32, 64], 64, { padding: 1, groups: 2 }],
    [[8, 32, 32, 30], 34, { padding: 1 }],
    [[8, 64, 64, 3], 16, { padding: 1 }],
    [[1, 8, 8, 128], 128, { padding: 1 }],
    [[8, 32, 32, 1024], 512, { padding: 1 }], // more filters than a cache holds
    [[0, 32, 32, 32], 32, { padding: 1 }],
  ] as const satisfies readonly (readonly [Picture, number, Options])[]) {
    const { sizes, attributes } = convolution(picture, O, options);
    const phases = [winogradPhases, winogradInputGradientPhases, winogradWeightGradientPhases];
    const own = phases.map((of) => of(sizes, attributes));
    t.deepEqual(own, [undefined, undefined, undefined], `${picture.join(' x ')} to ${O}, ${JSON.stringify(options)}`);
  }
  // What lies further out than the window: only its gradient looks there.
  const { sizes, attributes } = convolution([8, 32, 32, 32], 32, { padding: 3 });
  t.ok(winogradPhases(sizes, attributes), 'forwards');
  t.equal(winogradInputGradientPhases(sizes, attributes), undefined, 'backwards');
  t.end();
});

test('NaN reaches its tiles, all of its windows, and nothing else', async (t) => {
  const [size, O] = [12, 16];
  const x = stream.normal(2 * size * size * 16);
  x[(3 * size + 5) * 16 + 7] = NaN; // of the first picture, row 3, column 5
  const result = await run(
    () =>
      conv2d(tensor(x, { shape: [2, size, size, 16] }), tensor(stream.normal(O * 9 * 16), { shape: [O, 3, 3, 16] }), {
        padding: 1,
      }),
    { device: simd },
  );
  const values = await result.data();
  const isNaNAt = (n: number, p: number, q: number): boolean =>
    Number.isNaN(values[((n * size + p) * size + q) * O] ?? 0);
  for (let n = 0; n < 2; n++) {
    for (let p = 0; p < size; p++) {
      for (let q = 0; q < size; q++) {
        const isWindow = n === 0 && Math.abs(p - 3) <= 1 && Math.abs(q - 5) <= 1;
        // Tiles of rows 0 to 3 and 4 to 7, whose windows begin with row -1 and 3, and of columns 4 and 5, and 6 and 7.
        const isTile = n === 0 && p < 8 && q >= 4 && q < 8;
        if (isWindow && !isNaNAt(n, p, q)) t.fail(`${n}, ${p}, ${q} is a number`);
        if (!isTile && isNaNAt(n, p, q)) t.fail(`${n}, ${p}, ${q} is NaN`);
      }
    }
  }
  t.ok(isNaNAt(0, 3, 5), 'the place itself');
});
