/** Products over very many k: weight gradients of large batches. */
import test from 'tape';
import { productLaunches } from '../../../lib/ops/matmul/matmul-kernels.js';
import { variantFor } from '../../../lib/ops/matmul/matmul-choice.js';
import { productOf } from '../../../lib/ops/matmul/matmul-product.js';
import { launchJob } from '../../../lib/device/webgpu/launch-job.js';
import { RandomStream } from '../../../lib/random.js';
import { webgpu } from '../../support/webgpu.js';

const gradientOf = { transposeA: true, transposeB: false };

test('sums over long K are within 1e-6 of the sum of magnitudes', async (t) => {
  const device = await webgpu();
  for (const [K, M, N] of [
    [500_000, 4, 12],
    [40_000, 20, 24],
  ] as const) {
    const stream = new RandomStream(3, 'long');
    const [left, right] = [stream.uniform(K * M), stream.uniform(K * N)];
    const expected = new Float64Array(M * N);
    for (let k = 0; k < K; k++) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          expected[m * N + n] = (expected[m * N + n] ?? NaN) + (left[k * M + m] ?? NaN) * (right[k * N + n] ?? NaN);
        }
      }
    }
    const a = device.allocate({ shape: [K, M], dtype: 'f32' });
    const b = device.allocate({ shape: [K, N], dtype: 'f32' });
    const c = device.allocate({ shape: [M, N], dtype: 'f32' });
    a.write(left);
    b.write(right);
    const product = productOf({ shape: [K, M], dtype: 'f32' }, { shape: [K, N], dtype: 'f32' }, gradientOf);
    const targets = [device.target, { ...device.target, isSoftware: false }];
    for (const variant of new Set(targets.map((target) => variantFor(product, target)))) {
      const job = await launchJob(device, productLaunches(product, variant), [a, b], [c]);
      await job.run(1);
      const got = await c.read();
      // All are positive: the sum is that of magnitudes.
      const worst = Math.max(...Array.from(got, (value, i) => Math.abs(value / (expected[i] ?? NaN) - 1)));
      t.ok(worst < 1e-6, `${variant}, ${K} steps: ${worst}`);
    }
    for (const array of [a, b, c]) array.dispose();
  }
});
