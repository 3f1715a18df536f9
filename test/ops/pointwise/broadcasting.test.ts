/** Properties of the operations that walk through shapes, against definitions written with one index a time. */
import fc from 'fast-check';
import test from 'tape';
import {
  add,
  broadcastTo,
  cast,
  concat,
  max,
  mean,
  reshape,
  run,
  ShapeError,
  slice,
  softmax,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../../../lib/index.js';
import { broadcastShapes, sizeOf, stridesOf } from '../../../lib/shape.js';
import { testOnDevices } from '../../support/devices.js';
import { rejects } from '../../support/errors.js';
import { webgpu } from '../../support/webgpu.js';

const size = fc.integer({ min: 0, max: 4 });
const shapes = fc.array(size, { maxLength: 4 });
/** Small integers, so that sums are exact. */
const filled = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7) % 11) - 5),
    { shape },
  );
const runs = { seed: 6, numRuns: 60 };

/** Each index of a shape in row-major order. */
function indices(shape: readonly number[]): number[][] {
  const strides = stridesOf(shape);
  return Array.from({ length: sizeOf(shape) }, (_, i) =>
    strides.map((stride, a) => Math.floor(i / stride) % (shape[a] ?? 1)),
  );
}

/** The element at an index, aligned at the last axis; an axis of size 1 stands for any index. */
function at({ shape }: Tensor, data: ArrayLike<number>, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  const offset = stridesOf(shape).reduce(
    (total, stride, a) => total + (shape[a] === 1 ? 0 : stride * (own[a] ?? 0)),
    0,
  );
  return data[offset] ?? NaN;
}

function equal(got: ArrayLike<number>, expected: readonly number[]): void {
  const [a, b] = [Array.from(got, (x) => x + 0).join(), expected.map((x) => x + 0).join()];
  if (a !== b) throw new Error(`${a} is not ${b}`);
}

testOnDevices('subtract broadcasts as the definition says', async (t, device) => {
  // From a common shape, axes dropped at the front and set to 1 at random.
  const pairs = fc.tuple(shapes, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.nat(4), fc.nat(4));
  await fc.assert(
    fc.asyncProperty(pairs, async ([shape, ones, dropA, dropB]) => {
      const a = filled(shape.map((s, i) => (ones[i] ? 1 : s)).slice(dropA));
      const b = filled(shape.map((s, i) => (ones[i + 4] ? 1 : s)).slice(dropB));
      const [dataA, dataB] = [await a.data(), await b.data()];
      const expected = indices(broadcastShapes('subtract', a.shape, b.shape)).map(
        (index) => at(a, dataA, index) - at(b, dataB, index),
      );
      equal(await (await run(() => subtract(a, b), { device })).data(), expected);
    }),
    runs,
  );
  t.pass('60 pairs of shapes');
});

testOnDevices('sum and max over any axes are as the definition says', async (t, device) => {
  await fc.assert(
    fc.asyncProperty(shapes, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), async (shape, chosen) => {
      const x = filled(shape);
      const data = await x.data();
      const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
      const keptShape = shape.map((s, axis) => (axes.includes(axis) ? 1 : s));
      const groups = indices(keptShape).map((index) =>
        indices(shape).filter((other) => other.every((i, axis) => axes.includes(axis) || i === index[axis])),
      );
      const [total, largest] = await run(() => [sum(x, { axes, keepDims: true }), max(x, { axes })], { device });
      const valuesOf = (group: number[][]) => group.map((index) => at(x, data, index));
      equal(
        await total.data(),
        groups.map((group) => valuesOf(group).reduce((a, b) => a + b, 0)),
      );
      equal(
        await largest.data(),
        groups.map((group) => Math.max(...valuesOf(group))),
      );
      if (String(largest.shape) !== String(shape.filter((_, axis) => !axes.includes(axis)))) throw new Error('shape');
    }),
    runs,
  );
  t.pass('60 shapes');
});

testOnDevices('transpose moves every element, and the inverse permutation moves it back', async (t, device) => {
  const permuted = shapes.chain((shape) =>
    fc.tuple(
      fc.constant(shape),
      fc.shuffledSubarray(
        shape.map((_, axis) => axis),
        { minLength: shape.length },
      ),
    ),
  );
  await fc.assert(
    fc.asyncProperty(permuted, async ([shape, order]) => {
      const x = filled(shape);
      const data = await x.data();
      const inverse = order.map((_, axis) => order.indexOf(axis));
      const [moved, back] = await run(() => [transpose(x, order), transpose(transpose(x, order), inverse)], { device });
      const expected = indices(order.map((axis) => shape[axis] ?? 0)).map((index) =>
        at(
          x,
          data,
          inverse.map((axis) => index[axis] ?? 0),
        ),
      );
      equal(await moved.data(), expected);
      equal(await back.data(), Array.from(data));
    }),
    runs,
  );
  t.pass('60 permutations');
});

testOnDevices('the parts that slice cuts out, concat puts together again', async (t, device) => {
  const cuts = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    fc.nat(),
    fc.nat(),
    fc.nat(),
  );
  await fc.assert(
    fc.asyncProperty(cuts, async ([shape, axisChoice, first, second]) => {
      const x = filled(shape);
      const axis = axisChoice % shape.length;
      const length = (shape[axis] ?? 0) + 1;
      const [from, to] = [first % length, second % length].sort((a, b) => a - b);
      const part = (start: number | undefined, end: number | undefined) =>
        slice(
          x,
          shape.map((_, a) => (a === axis ? (start ?? 0) : 0)),
          shape.map((s, a) => (a === axis ? (end ?? s) : s)),
        );
      const whole = await run(() => concat([part(0, from), part(from, to), part(to, undefined)], { axis }), { device });
      equal(await whole.data(), Array.from(await x.data()));
    }),
    runs,
  );
  t.pass('60 cuts');
});

testOnDevices('a reshape keeps the elements in their order', async (t, device) => {
  const x = filled([2, 3, 4]);
  for (const shape of [[24], [4, 6], [-1, 8], [1, 24, 1], [2, 3, 4]]) {
    const there = await run(() => add(reshape(reshape(x, shape), [2, 3, 4]), 0), { device });
    equal(await there.data(), Array.from(await x.data()));
  }
  t.pass('5 shapes');
});

testOnDevices(
  'rows of softmax sum to 1, are positive, and do not change where a constant is added',
  async (t, device) => {
    const rows = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 70 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: -8, max: 8 }), async (row, shift) => {
        const x = tensor([row]);
        const [plain, shifted] = await run(() => [softmax(x), softmax(add(x, shift))], { device });
        const [p, q] = [Array.from(await plain.data()), Array.from(await shifted.data())];
        const total = p.reduce((a, b) => a + b, 0);
        if (!(Math.abs(total - 1) < 1e-5)) throw new Error(`the sum is ${total}`);
        // Adding the shift rounds x to 2^-18 at most (|x| < 64), which moves a probability by as much, relatively.
        p.forEach((value, i) => {
          if (value < 0 || Math.abs(value - (q[i] ?? NaN)) > 2e-5) throw new Error(`${value} became ${q[i]}`);
        });
      }),
      { ...runs, numRuns: 30 },
    );
    t.pass('30 rows');
  },
);

testOnDevices('a mean is the sum over the count, also of a broadcast tensor', async (t, device) => {
  const x = filled([3, 1]);
  const result = await run(() => mean(broadcastTo(x, [2, 3, 4]), { axes: [0, 2] }), { device });
  equal(await result.data(), Array.from(await x.data()));
  t.pass();
});

test('a walk over more axes than a kernel has room for is refused on webgpu, naming the limit', async (t) => {
  // Axes of 2 and 1 in turn merge nowhere: nine axes are left.
  const shape = (offset: number) => Array.from({ length: 9 }, (_, axis) => (axis % 2 === offset ? 2 : 1));
  const integers = (offset: number, from = 0) => cast(filled(shape(offset).slice(from)), 'i32');
  const [a, b] = [integers(0), integers(1)];
  t.equal((await run(() => add(a, b))).size, 2 ** 9);
  const device = await webgpu();
  await rejects(
    t,
    run(() => add(a, b), { device }),
    ShapeError,
    '9 axes',
    '8 axes',
  );
  const [c, d] = [integers(0, 1), integers(1, 1)];
  t.deepEqual(await (await run(() => add(c, d), { device })).data(), await add(c, d).data(), 'eight are not');
});
