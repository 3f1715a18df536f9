import test from 'tape';
import { add, linear, matmul, run, ShapeError, tensor } from '../../lib/index.js';
import { matmulLaunch, type MatmulVariant, variantFor } from '../../lib/ops/matmul-kernels.js';
import { matmulOperations } from '../../lib/ops/matmul.js';
import { differs } from '../support/close.js';
import { referenceOf, runGuarded } from '../support/guarded.js';
import { refuses } from '../support/errors.js';
import { webgpu } from '../support/webgpu.js';

/** M, N, K around the tiles of 64 x 64 and 8 x 256 and the depth of 16, primes, ones; then multiples of 4 for vec4 loads. */
const ANY_SIZES = [
  [9, 257, 5],
  [7, 255, 3],
  [1, 1, 1],
  [1, 129, 17],
  [127, 1, 3],
  [63, 64, 65],
  [65, 63, 16],
  [64, 65, 15],
  [2, 3, 129],
  [129, 67, 1],
  [128, 127, 31],
] as const;
const ALIGNED_SIZES = [
  [4, 4, 4],
  [64, 64, 64],
  [68, 60, 16],
  [60, 132, 20],
  [128, 4, 12],
  [4, 128, 68],
] as const;

const [matmulOperation] = matmulOperations;

function casesOf(sizes: readonly (readonly [number, number, number])[], transposeA: boolean, transposeB: boolean) {
  return sizes.map(([M, N, K]) => ({
    inputs: [{ shape: transposeA ? [K, M] : [M, K] }, { shape: transposeB ? [N, K] : [K, N] }],
    attributes: { transposeA, transposeB },
  }));
}

function ofVariant(variant: MatmulVariant) {
  if (!matmulOperation) throw new Error('there is no matmul');
  const operation: typeof matmulOperation = {
    ...matmulOperation,
    kernel: ({ inputs: [a, b], attributes }) => [matmulLaunch(a?.shape ?? [], b?.shape ?? [], attributes, variant)],
  };
  return operation;
}

for (const variant of ['naive', 'tiled', 'tiledVec4', 'direct', 'directVec4'] as const) {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const form = `A${transposeA ? 'ᵀ' : ''} · B${transposeB ? 'ᵀ' : ''}`;
    test(`matmul ${variant} ${form} agrees with the reference for all sizes around its tiles`, async (t) => {
      const sizes = variant.endsWith('Vec4') ? ALIGNED_SIZES : [...ANY_SIZES, ...ALIGNED_SIZES];
      const cases = casesOf(sizes, transposeA, transposeB);
      const operation = ofVariant(variant);
      const results = await runGuarded(await webgpu(), operation, cases);
      for (const [c, setting] of cases.entries()) {
        const size = `M, N, K = ${sizes[c]?.join(', ')}`;
        const [expected = new Float32Array(0)] = await referenceOf(operation, setting);
        t.equal(differs(results[c]?.outputs[0] ?? new Float32Array(0), expected, operation.tolerance), undefined, size);
        t.deepEqual(results[c]?.broken, [], `guards, ${size}`);
      }
    });
  }
}

test('vec4 loads are chosen where every contiguous axis is a multiple of 4, and only there', (t) => {
  const choose = (a: number[], b: number[], transposeA = false, transposeB = false) =>
    variantFor(a, b, { transposeA, transposeB }, { isSoftware: false });
  t.equal(choose([3, 8], [8, 4]), 'tiledVec4');
  t.equal(choose([3, 7], [7, 4]), 'tiled');
  t.equal(choose([4, 8], [8, 3]), 'tiled');
  t.equal(choose([8, 4], [8, 4], true), 'tiledVec4');
  t.equal(choose([8, 3], [8, 4], true), 'tiled');
  t.equal(choose([3, 8], [5, 8], false, true), 'tiled', 'N = 5: the stores are not aligned');
  t.equal(choose([2, 3, 8], [8, 4]), 'tiledVec4');
  t.end();
});

test('adapters that run on the CPU get the variants without workgroup memory, hardware never does', (t) => {
  const choose = (isSoftware: boolean) =>
    variantFor([3, 8], [8, 4], { transposeA: false, transposeB: false }, { isSoftware });
  t.equal(choose(true), 'directVec4');
  t.equal(choose(false), 'tiledVec4');
  t.end();
});

test('matmul refuses shapes that do not fit, naming both', (t) => {
  const matrix = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
  refuses(t, () => matmul(matrix(2, 3), matrix(4, 5)), ShapeError, '[2, 3] · [4, 5]', '3 against 4');
  refuses(
    t,
    () => matmul(matrix(2, 3), matrix(3, 5), { transposeA: true }),
    ShapeError,
    '[2, 3] transposed · [3, 5]',
    '2 against 3',
  );
  refuses(
    t,
    () => matmul(matrix(2, 3), matrix(3, 5), { transposeB: true }),
    ShapeError,
    '[3, 5] transposed',
    '3 against 5',
  );
  refuses(t, () => matmul(matrix(3), matrix(3, 5)), ShapeError, '[3] · [3, 5]', 'at least two axes');
  refuses(t, () => matmul(matrix(2, 4, 3), matrix(3, 3, 5)), ShapeError, '[2]', '[3]');
  refuses(t, () => matmul(tensor(Int32Array.of(1), { shape: [1, 1] }), matrix(1, 1)), ShapeError, 'f32');
  t.deepEqual(matmul(matrix(2, 3), matrix(3, 5)).shape, [2, 5]);
  t.end();
});

test('linear takes any number of leading axes and an optional bias', async (t) => {
  const x = tensor([[[1, 2]], [[3, 4]]]); // [2, 1, 2]
  const weight = tensor([
    [1, 0],
    [0, 1],
    [1, 1],
  ]); // [3, 2]
  t.deepEqual(await linear(x, weight, tensor([10, 20, 30])).array(), [[[11, 22, 33]], [[13, 24, 37]]]);
  t.deepEqual(await linear(tensor([1, 2]), weight).array(), [1, 2, 3]);
  refuses(t, () => linear(tensor([1, 2, 3]), weight), ShapeError, '[1, 3]', '[3, 2]');
  refuses(t, () => linear(x, weight, tensor([1, 2])), ShapeError, '[2]');
  refuses(t, () => linear(tensor(1), weight), ShapeError, 'scalar');
});

test('a product is the same from run to run, bit for bit, on webgpu', async (t) => {
  const device = await webgpu();
  const a = tensor(
    Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i)),
    { shape: [64, 64] },
  );
  const product = () => run(() => add(matmul(a, a), 0), { device });
  const first = await (await product()).data();
  for (let i = 0; i < 3; i++) t.deepEqual(await (await product()).data(), first);
});
