import test from 'tape';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { matmul } from '../../../lib/ops/matmul/matmul.js';
import { add } from '../../../lib/ops/pointwise/arithmetic.js';
import { compile } from '../../../lib/compile.js';
import { tensor } from '../../../lib/tensor.js';
import { Variable } from '../../../lib/variable.js';

const reference = new CpuDevice({ reason: 'test' });
const simd = new CpuDevice({ reason: 'test', path: 'simd' });

test('the device says which path it takes', (t) => {
  t.equal(reference.info.description, 'CPU, TypeScript reference');
  t.equal(simd.info.description, 'CPU, WebAssembly SIMD, 1 thread');
  t.end();
});

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
