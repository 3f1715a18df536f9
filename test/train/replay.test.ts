import test from 'tape';
import { MyNet } from '../../examples/mynet/model.js';
import { accuracy, compile, fit, gather, Meter, SGD, softmaxCrossEntropy, Variable } from '../../lib/index.js';
import { countWebGpu } from '../support/count-webgpu.js';
import { openWebGpu } from '../support/webgpu.js';
import { clouds, net } from './examples.js';

const NOTHING_NEW = { buffers: 0, bindGroups: 0, pipelines: 0, shaderModules: 0 };

test('a training step of MyNet, once warm, creates nothing on the GPU and is one submit', async (t) => {
  const device = await openWebGpu();
  const data = clouds(60, 3 * 28 * 28); // batches of 32 and 28
  const model = new MyNet(200, 2, 0.5).build(data.inputShape);
  const optimizer = new SGD({ learningRate: 0.02, momentum: 0.9 });
  const [inputs, labels] = [new Variable('x', data.inputs, [60, ...data.inputShape]), new Variable('y', data.labels)];
  const [loss, hits] = [new Meter(), new Meter()];
  const step = compile(
    (rows) => {
      const target = gather(labels, rows);
      const logits = model.forward(gather(inputs, rows));
      const value = softmaxCrossEntropy(logits, target);
      optimizer.minimize(value, model.parameters());
      loss.update(value, rows.size);
      hits.update(accuracy(logits, target), rows.size);
    },
    { device },
  );
  const [full, short] = [
    Int32Array.from({ length: 32 }, (_, i) => i),
    Int32Array.from({ length: 28 }, (_, i) => 32 + i),
  ];
  await step(full);
  await step(short);

  const counter = countWebGpu(device);
  for (const [name, rows] of Object.entries({ full, short })) {
    counter.reset();
    await step(rows);
    const { buffers, bindGroups, pipelines, shaderModules, submits, writes, dispatches } = counter.values;
    t.deepEqual({ buffers, bindGroups, pipelines, shaderModules }, NOTHING_NEW, `${name} batch`);
    t.equal(submits, 1, 'one submit');
    t.equal(writes, 1, 'the row numbers are all that is uploaded');
    t.equal(dispatches, 7, 'as docs/architecture.md lists them');
  }
  t.equal((await loss.read()).updates, 4, 'every step was taken');
  device.dispose();
});

test('an epoch of fit, once warm, creates nothing on the GPU', async (t) => {
  const device = await openWebGpu();
  const counter = countWebGpu(device);
  const epochs: object[] = [];
  await fit(net(8, 0.5), clouds(20, 6), {
    epochs: 3,
    batchSize: 8,
    optimizer: new SGD({ learningRate: 0.1, momentum: 0.9 }),
    validation: clouds(6, 6, 2),
    device,
    onEpochEnd: () => {
      const { buffers, bindGroups, pipelines, shaderModules, submits } = counter.values;
      epochs.push({ buffers, bindGroups, pipelines, shaderModules, submits });
      counter.reset();
    },
  });
  // 2 full batches at once and the last one, 1 of validation, and 4 meters read
  const warm = { ...NOTHING_NEW, submits: 7 };
  t.deepEqual(epochs.slice(1), [warm, warm]);
  t.notDeepEqual(epochs[0], warm, 'the first epoch makes everything');
  device.dispose();
});
