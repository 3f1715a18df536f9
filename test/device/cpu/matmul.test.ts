/** kernels/matmul_*.wat in both of their forms against the reference. */
import { setFlagsFromString } from 'node:v8';
import test from 'tape';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { hasRelaxedSimd } from '../../../lib/device/cpu/simd.js';
import { run } from '../../../lib/run.js';
import { matmul } from '../../../lib/ops/matmul/matmul.js';
import { matmulSimdPhases } from '../../../lib/ops/matmul/matmul-simd.js';
import { RandomStream } from '../../../lib/random.js';
import { tensor, type Tensor } from '../../../lib/tensor.js';
import { differs } from '../../support/close.js';

const reference = new CpuDevice({ reason: 'test' });

/** M, N, K: at and around what the kernel rounds to, and beyond its blocks of k, rows and columns. */
const SIZES = [
  [1, 1, 1],
  [1, 1, 2051],
  [1, 37, 300],
  [37, 1, 300],
  [1, 2051, 517],
  [2051, 1, 517],
  [2, 203, 32],
  [3, 7, 255],
  [4, 8, 256],
  [5, 9, 257],
  [33, 200, 513],
  [63, 3, 1030],
  [65, 7, 1030],
  [127, 2, 31],
  [131, 270, 1025],
  [519, 140, 300],
  [1026, 5, 17], // the last block has two rows
  [1027, 48, 18],
] as const;

/** The product's operands, from the same numbers every time. */
function operands([M, N, K]: readonly [number, number, number], transposeA: boolean, transposeB: boolean): Tensor[] {
  const random = new RandomStream(1, `${M} ${N} ${K}`);
  return [
    tensor(random.normal(M * K), { shape: transposeA ? [K, M] : [M, K] }),
    tensor(random.normal(K * N), { shape: transposeB ? [N, K] : [K, N] }),
  ];
}

const FLAG = 'experimental-wasm-relaxed-simd';
const comesRelaxed = hasRelaxedSimd();

// A device asks for relaxed SIMD when it loads a kernel, and V8 takes its flag at any time: first without, then with it.
for (const isRelaxed of comesRelaxed ? [true] : [false, true]) {
  if (!comesRelaxed) {
    test(`V8 ${isRelaxed ? 'now has' : 'does not have'} relaxed SIMD`, (t) => {
      if (isRelaxed) setFlagsFromString(`--${FLAG}`);
      t.equal(hasRelaxedSimd(), isRelaxed);
      t.end();
    });
  }
  for (const sizes of SIZES) {
    const [M, N, K] = sizes;
    test(`matmul of M ${M}, N ${N}, K ${K} agrees with the reference, ${isRelaxed ? 'relaxed' : 'plain'}`, async (t) => {
      const device = new CpuDevice({ reason: 'test', path: 'simd', threads: 2 });
      for (const [transposeA, transposeB] of [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ] as const) {
        const [a, b] = operands(sizes, transposeA, transposeB);
        if (!a || !b) throw new Error('two operands');
        const product = () => matmul(a, b, { transposeA, transposeB });
        const expected = await (await run(product, { device: reference })).data();
        const got = await (await run(product, { device })).data();
        // Each of K additions rounds a partial sum of size about √k by 6e-8: √K · √K · 6e-8 by chance, twice for safety.
        const tolerance = { absolute: 1.2e-7 * K, relative: 1e-6 };
        t.equal(
          differs(got, expected, tolerance),
          undefined,
          `${transposeA ? 'Aᵀ' : 'A'} · ${transposeB ? 'Bᵀ' : 'B'}`,
        );
      }
      device.dispose();
    });
  }
}

if (!comesRelaxed) {
  test('V8 is as it was', (t) => {
    setFlagsFromString(`--no-${FLAG}`);
    t.notOk(hasRelaxedSimd());
    t.end();
  });
}

test('zeros of A are left out, but for those that meet what is not finite', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  // Columns go 48 at a time, rows four; where more than half are not 0, none is left out.
  for (const [M, N, K] of [
    [5, 101, 32],
    [70, 150, 7],
    [4, 48, 1],
    [6, 97, 3],
    [37, 99, 61],
    [130, 47, 31],
  ] as const) {
    for (const share of [0, 0.25, 0.6]) {
      for (const [transposeA, strange] of [
        [true, []],
        [false, [NaN]],
        [true, [Infinity, -Infinity]],
      ] as const) {
        const random = new RandomStream(2, `${M} ${N} ${K} ${share}`);
        const kept = random.uniform(M * K, 0, 1);
        const a = random.normal(M * K).map((value, i) => ((kept[i] ?? 1) < share ? value : i % 2 === 0 ? 0 : -0));
        const b = random.normal(K * N);
        strange.forEach((value, i) => (b[(i * 53 + 11) % b.length] = value));
        const product = () =>
          matmul(tensor(a, { shape: transposeA ? [K, M] : [M, K] }), tensor(b, { shape: [K, N] }), { transposeA });
        const expected = await (await run(product, { device: reference })).data();
        const got = await (await run(product, { device })).data();
        const wrong = got.findIndex((value, i) => {
          const wanted = expected[i] ?? NaN;
          return Number.isFinite(wanted) ? !(Math.abs(value - wanted) < 1e-5) : !Object.is(value, wanted);
        });
        t.equal(
          wrong,
          -1,
          `${M} x ${N} x ${K}, ${share} of A are not 0, B has ${strange.join(', ') || 'nothing strange'}`,
        );
      }
    }
  }
  device.dispose();
});

test('sums of many terms lose next to nothing: they are formed in blocks, and these in parts', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  const K = 200_003;
  for (const [M, N, transposeA, transposeB] of [
    [1, 5, false, false],
    [5, 1, false, false],
    [3, 2, false, true],
    [4, 8, true, false],
    [9, 10, true, false],
  ] as const) {
    const random = new RandomStream(3, `${M} ${N}`);
    const [a, b] = [random.uniform(M * K), random.uniform(K * N)];
    // Random terms, and equal ones, whose rounding errors all have the same sign.
    for (const [left, within] of [
      [a, 2e-7],
      [a.map(() => 0.1), 3e-6],
    ] as const) {
      const right = left === a ? b : b.map(() => 1);
      const product = () =>
        matmul(
          tensor(left, { shape: transposeA ? [K, M] : [M, K] }),
          tensor(right, { shape: transposeB ? [N, K] : [K, N] }),
          { transposeA, transposeB },
        );
      const values = await (await run(product, { device })).data();
      const worst = Math.max(
        ...values.map((value, i) => {
          const [m, n] = [Math.floor(i / N), i % N];
          let sum = 0;
          for (let k = 0; k < K; k++) {
            sum +=
              (left[transposeA ? k * M + m : m * K + k] ?? NaN) * (right[transposeB ? n * K + k : k * N + n] ?? NaN);
          }
          return Math.abs(value / sum - 1);
        }),
      );
      t.ok(worst < within, `M ${M}, N ${N}: off by ${worst.toExponential(1)}`);
    }
  }
  device.dispose();
});

test('a sum of many terms that is not finite is what the reference says', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  const K = 20_000;
  const a = Float32Array.from({ length: 5 * K }, (_, i) =>
    i % K === 9000 ? ([1, Infinity, -Infinity, NaN, 3e38][Math.floor(i / K)] ?? 0) : 1,
  );
  const product = () =>
    matmul(tensor(a, { shape: [5, K] }), tensor(new Float32Array(6 * K).fill(2), { shape: [K, 6] }));
  const got = await (await run(product, { device })).data();
  t.deepEqual(
    [0, 6, 12, 18, 24].map((at) => got[at]),
    [2 * K, Infinity, -Infinity, NaN, Infinity],
  );
  device.dispose();
});

test('large products are divided, small ones are not, and the division follows from sizes alone', (t) => {
  const plain = { transposeA: false, transposeB: false };
  const tasks = (M: number, N: number, K: number) => matmulSimdPhases([M, K], [K, N], plain)?.[0]?.tasks.length;
  t.equal(tasks(32, 2, 200), 1);
  t.equal(tasks(512, 512, 512), 8); // 256 x 128
  t.equal(tasks(2048, 2048, 2048), 16); // 256 x 1024
  t.equal(tasks(1, 4096, 1024), 4); // 1024 columns
  t.equal(tasks(4096, 1, 1024), 16); // 256 rows
  t.equal(matmulSimdPhases([5000, 8, 8], [5000, 8, 8], plain)?.[0]?.tasks.length, 14); // 358 matrices
  t.equal(tasks(200, 2352, 1), 13); // little to compute, but much to store
  t.end();
});
