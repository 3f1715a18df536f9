import test from 'tape';
import { openNullDevice } from '../../bench/host/null-device.js';
import {
  accuracy,
  Adam,
  compile,
  DataLoader,
  type Device,
  fit,
  type LabelledData,
  Meter,
  type Optimizer,
  SGD,
  softmaxCrossEntropy,
  myNet,
} from '../../lib/index.js';
import { countWebGpu } from '../support/count-webgpu.js';
import { stepsOf } from '../support/fusing.js';
import { checksBounds, openWebGpu } from '../support/webgpu.js';
import { clouds, net } from './examples.js';

const NOTHING_NEW = { buffers: 0, bindGroups: 0, pipelines: 0, shaderModules: 0 };

/** The steps of MyNet as docs/architecture.md lists them. */
const STEPS = [
  'gather + matmul + add + relu + dropout',
  'matmul + add',
  'gather + softmaxCrossEntropyLoss + accuracy + meterUpdate + meterUpdate',
  'matmul + dropout + reluGradient',
  'matmul + sum + sgdMomentumUpdate + sgdMomentumUpdate',
  'gather + matmul + sum + sgdMomentumUpdate + sgdMomentumUpdate',
  'advance',
];

/** MyNet's training step on the batches of a data loader. */
function mynetStep(
  device: Device,
  optimizer: Optimizer = new SGD({ learningRate: 0.02, momentum: 0.9 }),
  data: LabelledData = clouds(60, 3 * 28 * 28),
) {
  const model = myNet().build(data.inputShape);
  const loader = new DataLoader(data, { batchSize: 32 });
  const [losses, hits] = [new Meter(), new Meter()];
  const step = compile(
    () => {
      const { inputs, labels } = loader.next();
      const logits = model.forward(inputs);
      const loss = softmaxCrossEntropy(logits, labels);
      optimizer.minimize(loss, model.parameters());
      losses.update(loss, labels.size);
      hits.update(accuracy(logits, labels), labels.size);
    },
    { device },
  );
  return { step, losses };
}

/** `npm run test:bounds` binds a buffer more, so that fewer launches are joined. */
const MOST_DISPATCHES = checksBounds ? 6 : 5;

test('a training step of MyNet, once warm, is at most five dispatches in one pass and one submit, and nothing else', async (t) => {
  const device = await openWebGpu();
  const { step, losses } = mynetStep(device);
  await step();
  t.deepEqual(stepsOf(step), STEPS);
  // Of seven steps: small ones are joined as far as an adapter has bindings for them (test/tools/kernels.test.ts counts).
  let dispatches = 0;
  const counter = countWebGpu(device);
  for (const turn of ['second', 'third']) {
    counter.reset();
    await step();
    ({ dispatches } = counter.values);
    t.ok(dispatches <= MOST_DISPATCHES, `${dispatches} dispatches`);
    t.deepEqual(counter.values, { ...NOTHING_NEW, submits: 1, writes: 0, passes: 1, dispatches }, `${turn} step`);
  }
  const description = step.plans()[0]?.describe().split('\n') ?? [];
  t.ok(description.includes(`steps: 7, for 25 operations; dispatches: ${dispatches}`), description.join('\n'));
  t.equal((await losses.read()).updates, 3, 'every step was taken');
  device.dispose();
});

test('a training step of MyNet with Adam takes no more steps', async (t) => {
  const device = await openNullDevice();
  const { step } = mynetStep(device, new Adam());
  await step();
  t.deepEqual(
    stepsOf(step),
    STEPS.map((name) => name.replaceAll('sgdMomentumUpdate', 'adamUpdate')),
  );
  device.dispose();
});

test('a training step of MyNet on bytes takes no more steps', async (t) => {
  const device = await openNullDevice();
  const bytes = { ...clouds(60, 3 * 28 * 28), inputs: new Uint8Array(60 * 3 * 28 * 28), scale: 1 / 255 };
  const { step } = mynetStep(device, new SGD({ learningRate: 0.02, momentum: 0.9 }), bytes);
  await step();
  t.deepEqual(
    stepsOf(step),
    STEPS.map((name) => name.replace('gather + matmul', 'gatherBytes + matmul')),
  );
  device.dispose();
});

test('many steps of MyNet share a submit, and upload nothing', async (t) => {
  const device = await openNullDevice(); // it takes no time: how many steps go together does not depend on the machine
  const { step } = mynetStep(device);
  await step.repeat(200); // by now submits hold 64 steps and more
  // It chooses kernels as for hardware, where the first product is two dispatches, and allows a kernel too few buffers to join.
  const counter = countWebGpu(device);
  await step.repeat(16);
  t.deepEqual(counter.values, { ...NOTHING_NEW, submits: 1, writes: 0, passes: 1, dispatches: 8 * 16 });
  device.dispose();
});

test('the rates and momenta of schedules are one upload a submit', async (t) => {
  const device = await openNullDevice();
  const schedule = new SGD({ learningRate: (step) => 0.1 / (1 + step), momentum: (step) => 0.9 / (1 + step) });
  const { step } = mynetStep(device, schedule);
  await step.repeat(200);
  const counter = countWebGpu(device);
  await step.repeat(16);
  t.deepEqual(counter.values, { ...NOTHING_NEW, submits: 1, writes: 1, passes: 1, dispatches: 8 * 16 });
  t.equal(schedule.step, 216);
  device.dispose();
});

test('an epoch of fit, once warm, creates nothing on the GPU', async (t) => {
  const device = await openWebGpu();
  const counter = countWebGpu(device);
  const epochs: object[] = [];
  const submitted: number[] = [];
  await fit(net(8, 0.5), clouds(20, 6), {
    epochs: 3,
    batchSize: 8,
    optimizer: new SGD({ learningRate: 0.1, momentum: 0.9 }),
    validation: clouds(6, 6, 2),
    device,
    onEpochEnd: () => {
      const { buffers, bindGroups, pipelines, shaderModules, writes, submits } = counter.values;
      epochs.push({ buffers, bindGroups, pipelines, shaderModules, writes });
      submitted.push(submits);
      counter.reset();
    },
  });
  const warm = { ...NOTHING_NEW, writes: 0 };
  t.deepEqual(epochs.slice(1), [warm, warm]);
  t.notDeepEqual(epochs[0], warm, 'the first epoch makes everything');
  // 2 full batches, at once where a step is shorter than a submit, the last one, 1 of validation, and 4 meters read
  t.ok(
    submitted.slice(1).every((submits) => submits === 7 || submits === 8),
    `${submitted.join()} submits`,
  );
  device.dispose();
});
