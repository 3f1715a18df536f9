import fc from 'fast-check';
import test from 'tape';
import { ShapeError } from '../lib/index.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  collapse,
  forEachOffset,
  normalizeAxes,
  normalizeAxis,
  sizeOf,
  stridesOf,
  type Walk,
} from '../lib/shape.js';
import { refuses } from './support/errors.js';

test('strides are row-major, the last axis the fastest', (t) => {
  t.deepEqual(stridesOf([2, 3, 4]), [12, 4, 1]);
  t.deepEqual(stridesOf([]), []);
  t.deepEqual([sizeOf([]), sizeOf([2, 0]), sizeOf([2, 3])], [1, 0, 6]);
  t.end();
});

test('shapes broadcast by the rule of NumPy', (t) => {
  const both = (a: number[], b: number[]) => [broadcastShapes('add', a, b), broadcastShapes('add', b, a)];
  t.deepEqual(both([3, 1], [2, 1, 4]), [
    [2, 3, 4],
    [2, 3, 4],
  ]);
  t.deepEqual(both([], [5]), [[5], [5]]);
  t.deepEqual(both([0, 4], [1]), [
    [0, 4],
    [0, 4],
  ]);
  t.deepEqual(both([1], [0]), [[0], [0]]);
  refuses(t, () => broadcastShapes('add', [2, 3], [4, 3]), ShapeError, 'add', '[2, 3]', '[4, 3]', '2 against 4');
  refuses(t, () => broadcastShapes('add', [2, 3], [0, 3]), ShapeError, '2 against 0');
  t.deepEqual(broadcastStrides([3, 1], [2, 3, 4]), [0, 1, 0]);
  t.end();
});

test('axes count from the end where they are negative, and each is named once', (t) => {
  t.equal(normalizeAxis('sum', -1, [2, 3]), 1);
  t.deepEqual(normalizeAxes('sum', [-1, 0], [2, 3]), [0, 1]);
  t.deepEqual(normalizeAxes('sum', undefined, [2, 3]), [0, 1]);
  t.deepEqual(normalizeAxes('sum', null, [2]), [0]);
  t.deepEqual(normalizeAxes('sum', [], [2]), []);
  for (const axis of [2, -3, 0.5, NaN])
    refuses(t, () => normalizeAxis('sum', axis, [2, 3]), ShapeError, 'sum', `${axis}`, '[2, 3]');
  refuses(t, () => normalizeAxes('sum', [1, -1], [2, 3]), ShapeError, 'twice', '[1, -1]');
  t.end();
});

test('a size is a whole number of 0 or more', (t) => {
  checkShape('reshape', [0, 3]);
  for (const size of [-1, 1.5, NaN, Infinity])
    refuses(t, () => checkShape('reshape', [2, size]), ShapeError, 'reshape', `${size}`);
  t.end();
});

/** Up to five axes with any strides, 0 among them, for one to three tensors. */
const walks: fc.Arbitrary<Walk> = fc.integer({ min: 1, max: 3 }).chain((tensors) =>
  fc
    .array(
      fc.tuple(
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: tensors, maxLength: tensors }),
      ),
      { maxLength: 5 },
    )
    .map((axes) => ({
      sizes: axes.map(([size]) => size),
      strides: Array.from({ length: tensors }, (_, tensor) => axes.map(([, strides]) => strides[tensor] ?? 0)),
    })),
);

/** The offsets by definition: Σ index · stride over the axes, the last index the fastest. */
function offsetsOf({ sizes, strides }: Walk): number[][] {
  return Array.from({ length: sizeOf(sizes) }, (_, position) => {
    const index = stridesOf(sizes).map((stride, axis) => Math.floor(position / stride) % (sizes[axis] ?? 1));
    return strides.map((tensor) => tensor.reduce((offset, stride, axis) => offset + stride * (index[axis] ?? 0), 0));
  });
}

function walked(walk: Walk): number[][] {
  const seen: number[][] = [];
  forEachOffset(walk, (offsets, position) => {
    if (position !== seen.length) throw new Error(`position ${position} comes as number ${seen.length}`);
    seen.push([...offsets]);
  });
  return seen;
}

test('forEachOffset visits what the definition says, in its order', (t) => {
  fc.assert(
    fc.property(walks, (walk) => String(walked(walk)) === String(offsetsOf(walk))),
    { seed: 4, numRuns: 300 },
  );
  t.pass('300 walks');
  t.end();
});

test('collapse() walks as the plain walk does, and never over more axes', (t) => {
  fc.assert(
    fc.property(walks, (walk) => {
      const collapsed = collapse(walk);
      return collapsed.sizes.length <= walk.sizes.length && String(walked(collapsed)) === String(offsetsOf(walk));
    }),
    { seed: 5, numRuns: 500 },
  );
  t.pass('500 walks');
  t.end();
});

test('collapse() merges contiguous axes, repeated axes, and drops axes of size 1', (t) => {
  t.deepEqual(collapse({ sizes: [2, 3, 4], strides: [[12, 4, 1]] }), { sizes: [24], strides: [[1]] });
  t.deepEqual(
    collapse({
      sizes: [2, 1, 4],
      strides: [
        [4, 99, 1],
        [0, 5, 0],
      ],
    }),
    { sizes: [8], strides: [[1], [0]] },
  );
  t.deepEqual(
    collapse({
      sizes: [2, 3],
      strides: [
        [3, 1],
        [1, 0],
      ],
    }).sizes,
    [2, 3],
    'a broadcast axis stays',
  );
  t.deepEqual(collapse({ sizes: [5, 3], strides: [[0, 0]] }), { sizes: [15], strides: [[0]] });
  t.end();
});
