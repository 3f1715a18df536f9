import test from 'tape';
import { add, cast, gradient, linear, matmul, run, ShapeError, sum, tensor } from '../../../lib/index.js';
import { offersVariant, variantFor } from '../../../lib/ops/matmul/matmul-choice.js';
import { productLaunches, productVariants } from '../../../lib/ops/matmul/matmul-kernels.js';
import { productOf } from '../../../lib/ops/matmul/matmul-product.js';
import { MATMUL_VARIANTS, type MatmulVariant, TECHNIQUES } from '../../../lib/ops/matmul/matmul-techniques.js';
import type { GpuFamily } from '../../../lib/graph/launch.js';
import type { DType, TensorSpec } from '../../../lib/graph/operation.js';
import { matmulOperations } from '../../../lib/ops/matmul/matmul.js';
import { axisSize, type Shape } from '../../../lib/shape.js';
import { describeCase } from '../../support/cases.js';
import { differs } from '../../support/close.js';
import { referenceOf, runGuarded } from '../../support/guarded.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { targetOf } from '../../support/targets.js';
import { webgpu } from '../../support/webgpu.js';

/**
 * M, N, K around the tiles of 8 to 16 rows and 32 to 256 columns and the blocks of 256 steps, primes and ones; then
 * multiples of 4, for vec4 loads.
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
  [41, 24, 8],
  [40, 36, 520],
  [84, 20, 264],
] as const;

/** Around tiles of 32 to 128 rows and 32 and 64 columns, depths of 16 and 32: nothing, and everything, a multiple of 4. */
const ODD = [
  [1, 1, 1],
  [129, 67, 1],
  [31, 33, 257],
  [63, 65, 15],
] as const;
const FOURS = [
  [4, 4, 4],
  [64, 64, 64],
  [132, 68, 36],
  [32, 32, 772],
] as const;
/** Of more than 1,024 steps. */
const LONG = [[36, 4, 2052]] as const;
const LONG_ODD = [[5, 33, 1031]] as const;
/** Some axes multiples of 4, others not. */
const MIXED = [
  [64, 63, 68],
  [63, 64, 65],
] as const;

type Sizes = readonly (readonly [M: number, N: number, K: number])[];
type Form = 'A · B' | 'Aᵀ · B' | 'A · Bᵀ' | 'Aᵀ · Bᵀ';
interface Trial {
  readonly variant: MatmulVariant;
  readonly form: Form;
  readonly types?: readonly [DType, DType];
  readonly sizes: Sizes;
}

const FLOATS: readonly [DType, DType] = ['f32', 'f32'];
const FORMS = ['A · B', 'Aᵀ · B', 'A · Bᵀ', 'Aᵀ · Bᵀ'] as const;

/** Every transpose, and 16-bit floats as each of the operands: rows of odd length begin in the middle of a word. */
const STRAIGHT = (['naive', 'direct', 'broadcast', 'quad', 'octet', 'vector'] as const).flatMap((variant): Trial[] => [
  ...FORMS.map((form): Trial => ({ variant, form, sizes: SIZES })),
  { variant, form: 'A · B', types: ['f16', 'f16'], sizes: SIZES },
  { variant, form: 'Aᵀ · B', types: ['f16', 'f32'], sizes: SIZES },
  { variant, form: 'A · Bᵀ', types: ['f32', 'f16'], sizes: SIZES },
]);

/** Templates: a software adapter takes a second to compile each that is filled in otherwise, so that few say much. */
const FILLED_IN: readonly Trial[] = [
  { variant: 'quad32x32', form: 'A · B', sizes: SIZES },
  { variant: 'quad32x32', form: 'A · Bᵀ', types: ['f32', 'f16'], sizes: SIZES },
  { variant: 'quad40x32', form: 'Aᵀ · B', sizes: SIZES },
  { variant: 'quad40x32', form: 'A · B', types: ['f16', 'f16'], sizes: SIZES },
  ...FORMS.map((form): Trial => ({ variant: 'tiled32x32', form, sizes: [...ODD, ...FOURS] })),
  { variant: 'tiled32x32', form: 'A · B', sizes: [...MIXED, ...LONG, ...LONG_ODD] },
  { variant: 'tiled32x32', form: 'A · B', types: ['f16', 'f16'], sizes: FOURS },
  { variant: 'tiled32x32', form: 'Aᵀ · B', types: ['f16', 'f32'], sizes: ODD },
  { variant: 'tiled64x32', form: 'A · Bᵀ', sizes: FOURS },
  { variant: 'tiled64x64', form: 'Aᵀ · B', sizes: FOURS },
  { variant: 'deep64x64', form: 'A · B', sizes: FOURS },
  { variant: 'tiled128x64', form: 'A · Bᵀ', sizes: ODD },
  { variant: 'tiled128x64', form: 'A · B', sizes: FOURS },
  { variant: 'prefetch128x64', form: 'Aᵀ · B', sizes: FOURS },
  { variant: 'split32x32', form: 'Aᵀ · B', sizes: [...FOURS, [4, 8, 2052]] },
  { variant: 'split32x32', form: 'A · Bᵀ', sizes: [[3, 5, 140_001]] }, // parts of more than 1,024 steps
  { variant: 'split64x32', form: 'A · B', sizes: [[33, 5, 1031]] },
  { variant: 'split64x64', form: 'Aᵀ · B', sizes: [[65, 5, 1031]] },
  ...FORMS.map((form): Trial => ({
    variant: 'shallow',
    form,
    sizes: [
      [33, 300, 2],
      [7, 31, 2],
      [129, 67, 1],
    ],
  })),
  ...FORMS.map((form): Trial => ({
    variant: 'thin',
    form,
    sizes: [
      [32, 2, 200],
      [2, 200, 32],
      [67, 5, 1],
      [3, 131, 257],
    ],
  })),
  {
    variant: 'thin',
    form: 'A · B',
    sizes: [
      [1, 1, 20_001],
      [32, 200, 2],
      [1030, 8, 36],
    ],
  },
  {
    variant: 'thin',
    form: 'A · Bᵀ',
    types: ['f16', 'f16'],
    sizes: [
      [65, 3, 68],
      [65, 3, 67],
    ],
  },
];

/** A chain of n products passes through √n, where float32 rounds by 6e-8 of it: n · 2.4e-8, four times that for the worst. */
function toleranceOf(K: number) {
  return { absolute: Math.max(4e-5, 1e-7 * Math.min(K, 1024) * Math.max(1, Math.sqrt(K / 1024))), relative: 1e-5 };
}

const [matmulOperation] = matmulOperations;

function f32(shape: Shape): TensorSpec {
  return { shape, dtype: 'f32' };
}

function ofVariant(variant: MatmulVariant) {
  if (!matmulOperation) throw new Error('there is no matmul');
  const operation: typeof matmulOperation = {
    ...matmulOperation,
    kernel: ({ inputs: [a, b], attributes }) => (a && b ? productLaunches(productOf(a, b, attributes), variant) : []),
  };
  return operation;
}

for (const { variant, form, types = FLOATS, sizes } of [...STRAIGHT, ...FILLED_IN]) {
  const [transposeA, transposeB] = [form.startsWith('Aᵀ'), form.endsWith('Bᵀ')];
  const what = `matmul ${variant} ${form} of ${types.join(' and ')}, K up to ${Math.max(...sizes.map(([, , K]) => K))},`;
  test(`${what} agrees with the reference for all sizes around its tiles`, async (t) => {
    const device = await webgpu();
    const operation = ofVariant(variant);
    const shapes = sizes.map(([M, N, K]) => ({
      a: transposeA ? [K, M] : [M, K],
      b: transposeB ? [N, K] : [K, N],
    }));
    const batches = [
      { a: [3, 1, 5, 5], b: [2, 5, 5] },
      { a: [2, 4, 4], b: [4, 4] },
    ];
    const attributes = { transposeA, transposeB };
    const cases = [...shapes, ...(sizes === SIZES || form === 'Aᵀ · Bᵀ' ? batches : [])]
      .map(({ a, b }): [TensorSpec, TensorSpec] => [
        { shape: a, dtype: types[0] },
        { shape: b, dtype: types[1] },
      ])
      .filter(([a, b]) => offersVariant(productOf(a, b, attributes), variant, device.target))
      .map((inputs) => ({ inputs, attributes }));
    const { suits = () => true } = TECHNIQUES[variant];
    if (device.target.features.has('subgroups') && suits(device.target)) t.ok(cases.length > 0, 'it offers something');
    const results = await runGuarded(device, operation, cases);
    for (const [c, setting] of cases.entries()) {
      const [expected = new Float32Array(0)] = await referenceOf(operation, setting);
      const K = axisSize(setting.inputs[0].shape, transposeA ? -2 : -1);
      const difference = differs(results[c]?.outputs[0] ?? new Float32Array(0), expected, toleranceOf(K));
      t.equal(difference, undefined, describeCase(setting));
      t.deepEqual(results[c]?.broken, [], `guards of ${describeCase(setting)}`);
    }
  });
}

for (const variant of MATMUL_VARIANTS.filter((name) => name.startsWith('matrices'))) {
  test(`matmul ${variant} agrees with the reference where the adapter has such units, and is not offered elsewhere`, async (t) => {
    const device = await webgpu();
    const operation = ofVariant(variant);
    const ofF16 = (shape: Shape): TensorSpec => ({ shape, dtype: 'f16' });
    const hasThem = TECHNIQUES[variant].suits?.(device.target) === true;
    const settings = [...FORMS].flatMap((form) => {
      const attributes = { transposeA: form.startsWith('Aᵀ'), transposeB: form.endsWith('Bᵀ') };
      const sizes: Sizes = [...FOURS, ...(form === 'A · B' ? [...ODD, ...LONG_ODD] : [[130, 129, 70] as const])];
      return sizes.map(([M, N, K]) => ({
        inputs: [
          ofF16(attributes.transposeA ? [K, M] : [M, K]),
          ofF16(attributes.transposeB ? [N, K] : [K, N]),
        ] as const,
        attributes,
      }));
    });
    const offered = settings.filter(({ inputs: [a, b], attributes }) =>
      offersVariant(productOf(a, b, attributes), variant, device.target),
    );
    t.equal(offered.length, hasThem ? settings.length : 0, `offered for f16: ${offered.length} of ${settings.length}`);
    const floats = productOf(f32([64, 64]), f32([64, 64]), { transposeA: false, transposeB: false });
    t.notOk(offersVariant(floats, variant, device.target), 'never for f32');
    const results = await runGuarded(device, operation, offered);
    for (const [c, setting] of offered.entries()) {
      const [expected = new Float32Array(0)] = await referenceOf(operation, setting);
      const K = axisSize(setting.inputs[0].shape, setting.attributes.transposeA ? -2 : -1);
      const difference = differs(results[c]?.outputs[0] ?? new Float32Array(0), expected, toleranceOf(K));
      t.equal(difference, undefined, describeCase(setting));
      t.deepEqual(results[c]?.broken, [], `guards of ${describeCase(setting)}`);
    }
  });
}

test('every variant is tried', (t) => {
  const matrices = MATMUL_VARIANTS.filter((name) => name.startsWith('matrices'));
  const tried = new Set([...[...STRAIGHT, ...FILLED_IN].map(({ variant }) => variant), ...matrices]);
  t.deepEqual([...tried].sort(), [...MATMUL_VARIANTS].sort());
  t.end();
});

/** As desktop adapters have them. */
const ROOMY = { ...targetOf(false).limits, maxComputeWorkgroupStorageSize: 32_768 };

const plain = { transposeA: false, transposeB: false };

test('on hardware a product gets the largest tile that fills the adapter, and split K where none does', (t) => {
  const choose = (a: number[], b: number[], family: GpuFamily = 'amd') =>
    variantFor(productOf(f32(a), f32(b), plain), { ...targetOf(false, ['subgroups'], family), limits: ROOMY });
  t.equal(choose([2048, 512], [512, 2048]), 'tiled128x64');
  t.equal(choose([768, 512], [512, 768]), 'tiled64x64');
  t.equal(choose([256, 512], [512, 256]), 'tiled32x32');
  t.equal(choose([32, 2352], [2352, 200]), 'split32x32');
  t.equal(choose([128, 4096], [4096, 128]), 'split64x32');
  t.equal(choose([64, 100_352], [100_352, 576]), 'split64x64');
  t.equal(choose([1, 300], [300, 400]), 'thin');
  t.equal(choose([32, 2], [2, 200]), 'shallow');
  t.equal(choose([3000, 2], [2, 5]), 'thin', 'too few columns');
  t.equal(choose([32, 200], [200, 2]), 'thin');
  t.equal(choose([32, 64], [64, 200]), 'thin', 'seven tiles');
  t.equal(choose([3, 0], [0, 5]), 'naive');
  t.equal(choose([8, 128, 64], [64, 1024]), 'tiled128x64', 'the batch counts');
  t.equal(choose([1024, 512], [512, 1024], 'nvidia'), 'tiled64x64');
  t.equal(choose([768, 512], [512, 768], 'nvidia'), 'tiled64x32');
  t.equal(choose([256, 512], [512, 256], 'nvidia'), 'split32x32');
  t.equal(choose([256, 256], [256, 256], 'nvidia'), 'tiled32x32', 'K is not long');
  t.equal(choose([49, 1024], [1024, 1024], 'nvidia'), 'split64x32');
  t.equal(choose([32, 2352], [2352, 200], 'nvidia'), 'split32x32', 'half of a tall tile would be empty');
  t.equal(choose([1568, 2048], [2048, 512], 'nvidia'), 'split64x64', '200 tiles are few');
  t.equal(choose([3136, 2048], [2048, 512], 'nvidia'), 'tiled64x64');
  t.equal(choose([1024, 512], [512, 1024], 'intel'), 'deep64x64');
  t.equal(choose([64, 100_352], [100_352, 576], 'intel'), 'split64x32', 'of 8 x 4 it has no registers for Aᵀ');
  t.equal(choose([1024, 512], [512, 1024], 'unknown'), 'tiled64x32');
  t.end();
});

test('adapters that run on the CPU get variants without workgroup memory where a product is large, hardware never does', (t) => {
  const choose = (features: string[], transposeB: boolean, K = 8000) =>
    variantFor(
      productOf(f32([3, K]), f32(transposeB ? [5, K] : [K, 4]), { transposeA: false, transposeB }),
      targetOf(true, features),
    );
  t.equal(choose(['subgroups'], false), 'quad');
  t.equal(choose(['subgroups'], true), 'broadcast', 'N is not a multiple of 4');
  t.equal(choose([], false), 'direct');
  t.equal(choose(['subgroups'], true, 8), 'naive', 'one that others can be joined to');
  const large = (M: number, N: number) =>
    variantFor(productOf(f32([M, 2400]), f32([2400, N]), plain), targetOf(true, ['subgroups']));
  t.equal(large(16, 400), 'quad', 'half of a larger square would be empty');
  t.equal(large(64, 200), 'quad32x32');
  t.equal(large(200, 64), 'quad40x32', 'five tiles are full, of seven the last one is empty but for a quarter');
  for (const M of [1, 3, 100, 5000]) {
    const variant = variantFor(productOf(f32([M, 2000]), f32([2000, M]), plain), targetOf(false, ['subgroups']));
    t.notOk(['direct', 'broadcast', 'quad'].includes(variant), variant);
  }
  t.end();
});

test('subgroups of eight invocations on the CPU compute squares together, unless they would be half empty', (t) => {
  const target = { ...targetOf(true, ['subgroups']), subgroupSize: 8 };
  const choose = (M: number, N: number, own = target) =>
    variantFor(productOf(f32([M, 300]), f32([300, N]), plain), own);
  t.equal(choose(17, 64), 'octet');
  t.equal(choose(257, 63), 'octet', 'rows may begin anywhere');
  t.equal(choose(16, 64), 'quad');
  t.equal(choose(64, 16), 'quad');
  t.equal(choose(257, 64, { ...target, subgroupSize: 4 }), 'quad');
  t.equal(choose(257, 64, { ...target, isSoftware: false }), 'tiled32x32');
  t.end();
});

test('the kernel for subgroups of eight is valid, also for adapters that cannot run it', async (t) => {
  const { gpu } = await webgpu();
  for (const [M, N, K] of [
    [33, 35, 37],
    [36, 40, 44],
  ] as const) {
    for (const type of ['f32', 'f16'] as const) {
      const product = productOf({ shape: [M, K], dtype: type }, f32([K, N]), plain);
      for (const { kernel } of productLaunches(product, 'octet')) {
        const { messages } = await gpu.createShaderModule({ code: kernel.code }).getCompilationInfo();
        t.deepEqual(
          messages.map(({ message }) => message),
          [],
          `${M} x ${K} of ${type}`,
        );
      }
    }
  }
});

test('a variant is offered only where it can compute the product', (t) => {
  const offers = (variant: MatmulVariant, a: number[], b: number[], features: string[] = []) =>
    offersVariant(productOf(f32(a), f32(b), plain), variant, targetOf(false, features));
  t.notOk(offers('broadcast', [4, 4], [4, 4]));
  t.ok(offers('broadcast', [4, 4], [4, 4], ['subgroups']));
  t.ok(offers('quad', [3, 4], [4, 4], ['subgroups']));
  t.notOk(offers('quad', [4, 3], [3, 4], ['subgroups']), 'rows of A begin anywhere');
  t.notOk(offers('vector', [2, 4], [4, 2]));
  t.ok(offers('vector', [1, 4], [4, 2]));
  t.notOk(offers('split32x32', [4, 255], [255, 4]), 'one part');
  t.ok(offers('split32x32', [4, 256], [256, 4]));
  t.notOk(offers('split32x32', [4096, 4096], [4096, 4096]), 'there are tiles enough');
  t.ok(offers('tiled64x32', [64, 64], [64, 64]));
  t.notOk(offers('deep64x64', [64, 64], [64, 64]), 'it wants 17 KiB of workgroup memory');
  t.end();
});

test('tuning tries no tile that would be mostly empty, and not the plainest kernel where it reads most', (t) => {
  const tried = (M: number, N: number) =>
    productVariants(productOf(f32([M, 64]), f32([64, N]), plain), targetOf(false)).map(({ name }) => name);
  t.deepEqual(tried(40, 20), ['thin', 'naive', 'direct', 'tiled32x32', 'tiled64x32']);
  t.ok(tried(128, 128).includes('tiled128x64'));
  t.notOk(tried(128, 128).includes('naive'));
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
