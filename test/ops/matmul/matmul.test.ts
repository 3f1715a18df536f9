import test from 'tape';
import { add, cast, gradient, linear, matmul, run, ShapeError, sum, tensor } from '../../../lib/index.js';
import {
  MATMUL_VARIANTS,
  matmulLaunches,
  type MatmulVariant,
  offersVariant,
  variantFor,
} from '../../../lib/ops/matmul/matmul-kernels.js';
import type { DType, TensorSpec } from '../../../lib/graph/operation.js';
import { matmulOperations } from '../../../lib/ops/matmul/matmul.js';
import type { Shape } from '../../../lib/shape.js';
import { describeCase } from '../../support/cases.js';
import { differs } from '../../support/close.js';
import { referenceOf, runGuarded } from '../../support/guarded.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { targetOf } from '../../support/targets.js';
import { webgpu } from '../../support/webgpu.js';

/**
 * M, N, K around the tiles of 8 to 128 rows and 32 to 256 columns, the depths of 8 and 16 and the blocks of 256 steps,
 * primes and ones; then multiples of 4, for vec4 loads.
 */
const SIZES = [
  [1, 1, 1],
  [1, 129, 17],
  [1, 5, 521],
  [127, 1, 3],
  [9, 257, 5],
  [7, 255, 3],
  [31, 33, 257],
  [33, 31, 255],
  [63, 64, 65],
  [65, 63, 16],
  [129, 67, 1],
  [128, 127, 31],
  [4, 4, 4],
  [1, 4, 256],
  [64, 64, 64],
  [68, 60, 16],
  [60, 132, 20],
  [128, 4, 12],
  [4, 128, 772],
  [20, 68, 261],
  [12, 36, 3],
] as const;

/** Sums of up to 772 products pass through 20, where float32 rounds by 1e-6 at most: √772 · 1e-6, and some room. */
const TOLERANCE = { absolute: 4e-5, relative: 1e-5 };

/** Every transpose, and 16-bit floats as each of the operands: rows of odd length begin in the middle of a word. */
const FORMS: readonly { readonly transposes: readonly [boolean, boolean]; readonly types: readonly [DType, DType] }[] =
  [
    { transposes: [false, false], types: ['f32', 'f32'] },
    { transposes: [true, false], types: ['f32', 'f32'] },
    { transposes: [false, true], types: ['f32', 'f32'] },
    { transposes: [true, true], types: ['f32', 'f32'] },
    { transposes: [false, false], types: ['f16', 'f16'] },
    { transposes: [true, false], types: ['f16', 'f32'] },
    { transposes: [false, true], types: ['f32', 'f16'] },
  ];

const [matmulOperation] = matmulOperations;

function f32(shape: Shape): TensorSpec {
  return { shape, dtype: 'f32' };
}

function ofVariant(variant: MatmulVariant) {
  if (!matmulOperation) throw new Error('there is no matmul');
  const operation: typeof matmulOperation = {
    ...matmulOperation,
    kernel: ({ inputs: [a, b], attributes }) => (a && b ? matmulLaunches(a, b, attributes, variant) : []),
  };
  return operation;
}

for (const variant of MATMUL_VARIANTS) {
  for (const { transposes, types } of FORMS) {
    const [transposeA, transposeB] = transposes;
    // Larger tiles load as the smallest does, and software adapters need seconds to compile each.
    if (types.includes('f16') && /^tiled(?!32x32)/.test(variant)) continue;
    const form = `A${transposeA ? 'ᵀ' : ''} · B${transposeB ? 'ᵀ' : ''} of ${types.join(' and ')}`;
    test(`matmul ${variant} ${form} agrees with the reference for all sizes around its tiles`, async (t) => {
      const device = await webgpu();
      const operation = ofVariant(variant);
      const shapes = SIZES.map(([M, N, K]) => ({
        a: transposeA ? [K, M] : [M, K],
        b: transposeB ? [N, K] : [K, N],
      }));
      const batches = [
        { a: [3, 1, 5, 5], b: [2, 5, 5] },
        { a: [2, 4, 4], b: [4, 4] },
      ];
      const attributes = { transposeA, transposeB };
      const cases = [...shapes, ...batches]
        .map(({ a, b }): [TensorSpec, TensorSpec] => [
          { shape: a, dtype: types[0] },
          { shape: b, dtype: types[1] },
        ])
        .filter(([a, b]) => offersVariant(a, b, attributes, variant, device.target))
        .map((inputs) => ({ inputs, attributes }));
      if (device.target.features.has('subgroups')) t.ok(cases.length > 0, 'it offers something');
      const results = await runGuarded(device, operation, cases);
      for (const [c, setting] of cases.entries()) {
        const [expected = new Float32Array(0)] = await referenceOf(operation, setting);
        const difference = differs(results[c]?.outputs[0] ?? new Float32Array(0), expected, TOLERANCE);
        t.equal(difference, undefined, describeCase(setting));
        t.deepEqual(results[c]?.broken, [], `guards of ${describeCase(setting)}`);
      }
    });
  }
}

const plain = { transposeA: false, transposeB: false };

test('on hardware a product gets the largest tile that fills the adapter, and split K where none does', (t) => {
  const choose = (a: number[], b: number[]) => variantFor(a, b, plain, targetOf(false, ['subgroups']));
  t.equal(choose([2048, 512], [512, 2048]), 'tiled128x128');
  t.equal(choose([1024, 512], [512, 1024]), 'tiled64x64');
  t.equal(choose([256, 512], [512, 256]), 'tiled32x32');
  t.equal(choose([32, 2352], [2352, 200]), 'splitK');
  t.equal(choose([1, 300], [300, 40]), 'vector');
  t.equal(choose([8, 128, 64], [64, 512]), 'tiled64x64', 'the batch counts');
  t.end();
});

test('adapters that run on the CPU get variants without workgroup memory, hardware never does', (t) => {
  const choose = (features: string[], transposeB: boolean) =>
    variantFor([3, 8], transposeB ? [5, 8] : [8, 4], { transposeA: false, transposeB }, targetOf(true, features));
  t.equal(choose(['subgroups'], false), 'quad');
  t.equal(choose(['subgroups'], true), 'broadcast', 'N is not a multiple of 4');
  t.equal(choose([], false), 'direct');
  for (const M of [1, 3, 100, 5000]) {
    const variant = variantFor([M, 2000], [2000, M], plain, targetOf(false, ['subgroups']));
    t.notOk(['direct', 'broadcast', 'quad'].includes(variant), variant);
  }
  t.end();
});

test('a variant is offered only where it can compute the product', (t) => {
  const offers = (variant: MatmulVariant, a: number[], b: number[], features: string[] = []) =>
    offersVariant(f32(a), f32(b), plain, variant, targetOf(false, features));
  t.notOk(offers('broadcast', [4, 4], [4, 4]));
  t.ok(offers('broadcast', [4, 4], [4, 4], ['subgroups']));
  t.ok(offers('quad', [3, 4], [4, 4], ['subgroups']));
  t.notOk(offers('quad', [4, 3], [3, 4], ['subgroups']), 'rows of A begin anywhere');
  t.notOk(offers('vector', [2, 4], [4, 2]));
  t.ok(offers('vector', [1, 4], [4, 2]));
  t.notOk(offers('splitK', [4, 256], [256, 4]), 'one part');
  t.ok(offers('splitK', [4, 257], [257, 4]));
  t.notOk(offers('splitK', [4096, 4096], [4096, 4096]), 'its parts would take a gigabyte');
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
  refuses(
    t,
    () => matmul(matrix(3), matrix(3, 5)),
    ShapeError,
    'matmul: needs a',
    'rowsOfA',
    'found f32 [3], f32 [3, 5]',
  );
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

testOnDevices('linear takes an input and a weight of 16-bit floats, and gives f32', async (t, device) => {
  const x = tensor([[1, 2.0001, 3]], { dtype: 'f16' }); // 2.0001 becomes 2
  const weight = tensor(
    [
      [1, 0.1, 0],
      [0, 1, 1],
    ],
    { dtype: 'f16' },
  ); // 0.1 becomes 0.0999755859375
  const output = await run(() => linear(x, weight, tensor([10, 20])), { device });
  t.equal(output.dtype, 'f32');
  t.deepEqual(await output.array(), [[Math.fround(11.199951171875), 25]]);
  refuses(t, () => linear(x, weight, cast(tensor([10, 20]), 'f16')), ShapeError, 'add', 'f16', 'cast');
});

testOnDevices('sums of 16-bit floats are formed in f32, and so are their gradients', async (t, device) => {
  const large = tensor([[60_000], [1]], { dtype: 'f16' }); // 60000 is a 16-bit float
  const row = tensor([[3, 0.5]], { dtype: 'f16' });
  const product = await run(() => matmul(large, row), { device });
  const [dLarge, dRow] = await run(() => gradient(sum(matmul(large, row)), [large, row]), { device });
  t.deepEqual(await product.array(), [
    [180_000, 30_000],
    [3, 0.5],
  ]);
  t.deepEqual(await dLarge?.array(), [[3.5], [3.5]]);
  t.deepEqual(await dRow?.array(), [[60_001, 60_001]], 'no 16-bit float');
  t.deepEqual([dLarge?.dtype, dRow?.dtype], ['f32', 'f32']);
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
