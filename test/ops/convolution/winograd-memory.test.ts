/** Convolutions of 3 x 3 of random sizes and what is fused with them, in no more memory than they ask for. */
import test from 'tape';
import { conv2dWinogradWasm } from '../../../lib/generated/wasm.js';
import type { Step } from '../../../lib/graph/program.js';
import { add, compile, conv2d, gradient, multiply, relu, sum, tensor } from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { sizeOf } from '../../../lib/shape.js';
import { differs } from '../../support/close.js';
import { simd } from '../../support/devices.js';
import { runSimdGuarded } from '../../support/simd-guarded.js';

const DRAWS = 250;
/** Multiplications of a convolution at most: the reference takes 5 ns for each. */
const MOST = 2 ** 23;
const stream = new RandomStream(1, 'winograd memory');

function integer(low: number, high: number): number {
  return Math.floor(stream.uniform(1, low, high + 1)[0] ?? low);
}

/** Up to `high`, more often a small one. */
function small(high: number): number {
  return integer(1, integer(1, high));
}

function normal(shape: readonly number[]) {
  return tensor(stream.normal(sizeOf(shape)), { shape });
}

/** How the kernels of a step go wrong; undefined where they do not. `terms` is how many products a sum may have. */
function faultOf({ operation, attributes, inputs, outputs }: Step, terms: number): string | undefined {
  const values = inputs.map(({ shape }) => stream.normal(sizeOf(shape)));
  const ran = runSimdGuarded(operation, { inputs, outputs, attributes }, values);
  if (!ran) return undefined;
  if (ran.broken.length > 0) return `it writes beside ${ran.broken.join(', ')}`;
  const expected = outputs.map(({ shape }) => ({ shape, data: new Float32Array(sizeOf(shape)) }));
  const views = inputs.map(({ shape }, i) => ({ shape, data: values[i] ?? new Float32Array(0) }));
  operation.reference({ inputs: views, outputs: expected, attributes });
  const tolerance = { absolute: 5e-6 * Math.sqrt(terms), relative: 1e-4 };
  for (const [i, { data }] of expected.entries()) {
    const difference = differs(ran.results[i] ?? new Float32Array(0), data, tolerance);
    if (difference) return `output ${i}: ${difference}`;
  }
  return undefined;
}

test('convolutions of 3 x 3, their gradients and stages need no more memory than they ask for', async (t) => {
  let byTiles = 0;
  for (let draws = 0; draws < DRAWS; draws++) {
    const [N, H, W, padding] = [small(33), small(40), small(40), integer(0, 2)];
    const unit = 4 * integer(1, 2);
    const [C, O] = [unit * integer(1, 130 / unit), unit * integer(1, 130 / unit)];
    if (H + 2 * padding < 3 || W + 2 * padding < 3 || 9 * N * H * W * C * O > MOST) continue;
    const [x, weight, bias] = [normal([N, H, W, C]), normal([O, 3, 3, C]), normal([O])];
    const step = compile(
      (picture, filters) => {
        const output = relu(add(conv2d(picture, filters, { padding }), bias));
        return [output, ...gradient(sum(multiply(output, output)), [picture, filters])];
      },
      { device: simd },
    );
    await step(x, weight);
    const steps = step.plans().flatMap(({ program }) => program.steps);
    step.dispose();
    for (const each of steps.filter(({ operation }) => operation.name.includes('conv2d'))) {
      const { inputs, outputs, attributes, operation } = each;
      const calls = operation.simd?.({ inputs, outputs, attributes })?.flatMap(({ tasks }) => tasks.flat()) ?? [];
      if (!calls.some(({ kernel }) => kernel.module === conv2dWinogradWasm)) continue;
      byTiles++;
      const fault = faultOf(each, Math.max(9 * C, 9 * O, N * H * W));
      t.equal(fault, undefined, `${operation.name} of ${[N, H, W, C].join(' x ')} to ${O}, padding ${padding}`);
    }
  }
  t.ok(byTiles > 30, `${byTiles} go by tiles`);
});
