import test from 'tape';
import {
  compile,
  dropout,
  Generator,
  gradient,
  linear,
  relu,
  run,
  softmaxCrossEntropy,
  tensor,
  Variable,
} from '../../../lib/index.js';
import { optimizerState } from '../../../lib/ops/update/optimizer-state.js';
import { sgdUpdate } from '../../../lib/optim/sgd.js';
import { RandomStream } from '../../../lib/random.js';
import { countWebGpu } from '../../support/count-webgpu.js';
import { openWebGpu, webgpu } from '../../support/webgpu.js';

/** A net of two layers with dropout, its loss, gradients and updates: what a training step consists of. */
function trainingStep() {
  const random = new RandomStream(1, 'weights');
  const variable = (name: string, shape: readonly [number, number]) =>
    new Variable(name, random.uniform(shape[0] * shape[1], -0.3, 0.3), shape);
  const parameters = [variable('fc1.weight', [16, 12]), variable('fc2.weight', [2, 16])] as const;
  const generator = new Generator(3);
  const state = tensor(optimizerState(0, [{ steps: 0, take: 1 }], Float32Array.of(0.1, 0)));
  const update = sgdUpdate.with({ weightDecay: 0 });
  return (input: ReturnType<typeof tensor>, target: ReturnType<typeof tensor>) => {
    const hidden = dropout(relu(linear(input, parameters[0])), { probability: 0.5, generator });
    const loss = softmaxCrossEntropy(linear(hidden, parameters[1]), target);
    const gradients = gradient(loss, parameters);
    for (const [i, parameter] of parameters.entries()) {
      const own = { parameter: parameter.value, gradient: gradients[i] ?? loss, buffer: undefined };
      parameter.update(update.apply({ ...own, state, member: 0, ahead: 0 }).parameter);
    }
    return loss;
  };
}

const batch = new RandomStream(2, 'batch').normal(8 * 12);
const classes = Int32Array.from({ length: 8 }, (_, i) => i % 2);
const input = tensor(batch, { shape: [8, 12] });

test('after warm-up a training step creates no buffer, bind group or pipeline, and submits once', async (t) => {
  const device = await webgpu(); // shared: compiling matmul takes SwiftShader seconds
  const counts = countWebGpu(device);
  const step = compile(trainingStep(), { device });
  const first = await (await step(input, classes)).item();
  t.ok(counts.values.buffers > 0 && counts.values.bindGroups > 0, 'the counter counts');
  const { dispatches } = counts.values;
  counts.reset();
  const loss = await step(input, classes);
  t.deepEqual(counts.values, {
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    shaderModules: 0,
    submits: 1,
    writes: 2, // its two inputs, and nothing else
    passes: 1,
    dispatches,
  });
  counts.reset();
  let last = await loss.item();
  t.deepEqual([counts.values.buffers, counts.values.submits], [0, 1], 'a second read finds its staging buffer');
  for (let i = 0; i < 40; i++) last = await (await step(input, classes)).item();
  t.ok(last < first / 2, `the loss falls from ${first} to ${last}`);
  counts.reset();
  await Promise.all([1, 2, 3, 4].map(() => step(input, classes)));
  t.deepEqual(
    [counts.values.buffers, counts.values.bindGroups, counts.values.submits],
    [3, 0, 7],
    'of calls side by side, each has a result of its own: those of the first three are copied',
  );
});

test('a loop over run() creates nothing either, once it has found its plan', async (t) => {
  const device = await webgpu(); // shared: compiling matmul takes SwiftShader seconds
  const counts = countWebGpu(device);
  const step = trainingStep();
  const once = async () => (await run(() => step(input, tensor(classes)), { device })).item();
  await once();
  counts.reset();
  await once();
  const { buffers, bindGroups, pipelines, shaderModules, passes } = counts.values;
  t.deepEqual(
    { buffers, bindGroups, pipelines, shaderModules, passes },
    { buffers: 0, bindGroups: 0, pipelines: 0, shaderModules: 0, passes: 1 },
  );
});

test('inputs that are on the device already are copied there, without an upload', async (t) => {
  const device = await openWebGpu();
  const counts = countWebGpu(device);
  const data = new Variable('data', batch, [8, 12]);
  const f = compile((x) => relu(x), { device });
  const g = compile((x) => relu(x), { device });
  await g(await f(data));
  counts.reset();
  const result = await g(await f(data));
  t.deepEqual([counts.values.writes, counts.values.submits, counts.values.buffers], [0, 2, 0]);
  t.deepEqual(
    Array.from(await result.data()),
    Array.from(batch, (x) => Math.max(x, 0)),
  );
  device.dispose();
});

test('the same kernel is compiled once for a device, however many plans use it', async (t) => {
  const device = await openWebGpu();
  const counts = countWebGpu(device);
  for (const size of [2, 3, 300]) await compile((x) => relu(x), { device })(new Float32Array(size));
  t.deepEqual([counts.values.pipelines, counts.values.shaderModules], [1, 1]);
  device.dispose();
});
