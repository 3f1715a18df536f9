import test from 'tape';
import {
  add,
  cast,
  compile,
  gradient,
  matmul,
  multiply,
  Parameter,
  relu,
  reshape,
  run,
  SGD,
  square,
  stopGradient,
  subtract,
  sum,
  tensor,
  TraceError,
} from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';

test('a gradient goes no further back than stopGradient', async (t) => {
  const x = tensor([1, 2, 3]);
  const slopeOf = async (loss: Parameters<typeof gradient>[0]) => gradient(loss, [x])[0]?.array();
  t.deepEqual(await slopeOf(sum(multiply(x, stopGradient(x)))), [1, 2, 3], 'one of two factors counts');
  t.deepEqual(await slopeOf(sum(add(square(x), stopGradient(square(x))))), [2, 4, 6]);
  t.deepEqual(await slopeOf(sum(multiply(reshape(x, [3, 1]), stopGradient(reshape(x, [3, 1]))))), [1, 2, 3]);
  const held = stopGradient(square(x));
  const [ofHeld] = gradient(sum(square(held)), [held]);
  t.deepEqual(await ofHeld?.array(), [2, 8, 18], 'with respect to what it gives there is one');
  refuses(t, () => gradient(sum(stopGradient(x)), [x]), TraceError, 'stopGradient', 'ends gradients');
});

testOnDevices('stopGradient changes no number and takes no step of a plan', async (t, device) => {
  for (const value of [tensor([1.5, -2]), tensor(Int32Array.of(3, 4)), tensor([0.5], { dtype: 'f16' })]) {
    const result = await run(() => stopGradient(value), { device });
    t.deepEqual([result.dtype, ...(await result.data())], [value.dtype, ...(await value.data())]);
  }
  const bytes = await run(() => cast(stopGradient(tensor(Uint8Array.of(7, 255))), 'f32'), { device });
  t.deepEqual([...(await bytes.data())], [7, 255]);

  const [a, b] = [
    tensor([
      [1, -2],
      [3, 4],
    ]),
    tensor([
      [1, 0],
      [-1, 1],
    ]),
  ];
  const behindProduct = compile((x, y) => relu(stopGradient(matmul(x, y))), { device });
  const result = await behindProduct(a, b);
  t.deepEqual(await result.array(), [
    [3, 0],
    [0, 4],
  ]);
  const [plan] = behindProduct.plans();
  t.notOk(plan?.program.steps.some(({ operation }) => operation.name.includes('stopGradient')));
});

testOnDevices('a parameter behind stopGradient is not trained, the one beside it is', async (t, device) => {
  const [w, frozen] = [new Parameter('w', tensor([1])), new Parameter('frozen', tensor([3]))];
  const optimizer = new SGD({ learningRate: 0.1, weightDecay: 0.5 });
  const step = compile(
    () => {
      optimizer.minimize(sum(square(subtract(w, stopGradient(frozen)))), [w, frozen]);
    },
    { device },
  );
  await step();
  // w − 0.1 · (2 · (1 − 3) + 0.5 · 1); `frozen` is not reached, so that not even its weights decay.
  const [trained = NaN] = await w.data();
  t.ok(Math.abs(trained - 1.35) < 1e-6, `w is ${trained}`);
  t.deepEqual([...(await frozen.data())], [3]);
});
