import test from 'tape';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { run } from '../../../lib/evaluate.js';
import { matmul } from '../../../lib/ops/matmul.js';
import { add } from '../../../lib/ops/arithmetic.js';
import { compile } from '../../../lib/compile.js';
import { RandomStream } from '../../../lib/random.js';
import { tensor } from '../../../lib/tensor.js';
import { Variable } from '../../../lib/variable.js';
import { differs } from '../../support/close.js';

const reference = new CpuDevice({ reason: 'test' });
const simd = new CpuDevice({ reason: 'test', path: 'simd' });

test('the device says which path it takes', (t) => {
  t.equal(reference.info.description, 'CPU, TypeScript reference');
  t.equal(simd.info.description, 'CPU, WebAssembly SIMD, 1 thread');
  t.end();
});

for (const [M, N, K] of [
  [1, 1, 1],
  [3, 7, 255],
  [4, 8, 256],
  [5, 9, 257],
  [33, 200, 513],
  [127, 2, 31],
] as const) {
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const name = `[${M}, ${K}]${transposeA ? 'ᵀ' : ''} · [${K}, ${N}]${transposeB ? 'ᵀ' : ''}`;
      test(`matmul ${name} on SIMD agrees with the reference`, async (t) => {
        const random = new RandomStream(1, name);
        const a = tensor(random.normal(M * K), { shape: transposeA ? [K, M] : [M, K] });
        const b = tensor(random.normal(K * N), { shape: transposeB ? [N, K] : [K, N] });
        const product = () => matmul(a, b, { transposeA, transposeB });
        const expected = await (await run(product, { device: reference })).data();
        const got = await (await run(product, { device: simd })).data();
        // Each of K additions rounds a partial sum of size about √k by 6e-8: √K · √K · 6e-8 by chance, twice for safety.
        t.equal(differs(got, expected, { absolute: 1.2e-7 * K, relative: 1e-6 }), undefined);
      });
    }
  }
}

test('a plan goes on computing right after the heap has grown under it', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  const weight = new Variable('weight', Float32Array.of(1, 2, 3, 4), [2, 2]);
  const step = compile((x) => add(matmul(x, weight), 1), { device });
  const x = tensor([[1, 1]]);
  t.deepEqual(Array.from(await (await step(x)).data()), [5, 7]);
  const before = device.heap.generation;
  const large = device.allocate({ shape: [4_000_000], dtype: 'f32' });
  t.ok(device.heap.generation > before, 'the heap has grown');
  t.deepEqual(Array.from(await (await step(x)).data()), [5, 7]);
  large.dispose();
});
