import test from 'tape';
import { WebGpuDevice } from '../lib/device/webgpu/device.js';
import { parseChoices } from '../lib/device/webgpu/tuning/store.js';
import { compile, linear, OptionError, Parameter, relu, SGD, sum, tensor, tune } from '../lib/index.js';
import { RandomStream } from '../lib/random.js';
import { differs } from './support/close.js';
import { cpu } from './support/devices.js';
import { rejects } from './support/errors.js';
import { openWebGpu } from './support/webgpu.js';

const normal = (name: string, count: number) => new RandomStream(3, name).normal(count);

/** Trains a layer of 6 inputs and 7 outputs for some steps. */
function layer(device: WebGpuDevice | typeof cpu) {
  const weight = new Parameter('weight', normal('weight', 42), [7, 6]);
  const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
  const step = compile(
    (x) => {
      const output = relu(linear(x, weight, tensor(normal('bias', 7))));
      optimizer.minimize(sum(output), [weight]);
      return output;
    },
    { device },
  );
  return { weight, step, x: tensor(normal('x', 30), { shape: [5, 6] }) };
}

test('a tuned step computes what it did before, and its kernels were chosen by measuring', async (t) => {
  const opened = await openWebGpu();
  let text: string | undefined;
  const store = {
    read: () => Promise.resolve(text),
    write: (next: string) => Promise.resolve(void (text = next)),
  };
  const device = new WebGpuDevice(opened.gpu, opened.info, { host: { tuningStore: store } });
  const expected = layer(cpu);
  const got = layer(device);
  for (const { step, x } of [expected, got]) await step(x);
  const before = await got.weight.data();

  const report = await tune(device, got.step);
  t.deepEqual(await got.weight.data(), before, 'tuning touches no buffer of the plan');
  t.deepEqual(report.warnings, []);
  const names = report.choices.map(({ operation }) => operation);
  t.ok(names.some((name) => name.includes('relu')) && names.some((name) => name.includes('sgd')), names.join('; '));
  for (const { source, trials, variant } of report.choices) {
    t.equal(source, 'measured');
    const { outcome, milliseconds = NaN, slowest = NaN, runs, part } = trials[variant] ?? { runs: 0, part: 0 };
    t.ok(Object.keys(trials).length > 2 && outcome === 'taken' && runs > 1 && part === 1, variant);
    t.ok(milliseconds > 0 && milliseconds <= slowest, `${milliseconds} to ${slowest}`);
  }
  t.equal(parseChoices(text).size, report.choices.length, 'the choices are stored');

  for (const { step, x } of [expected, got]) {
    await step(x);
    await step(x);
  }
  const difference = differs(await got.weight.data(), await expected.weight.data(), { absolute: 1e-5, relative: 1e-5 });
  t.equal(difference, undefined);

  const again = new WebGpuDevice(opened.gpu, opened.info, { host: { tuningStore: store } });
  await tune(again);
  const third = layer(again);
  await third.step(third.x);
  const { choices } = await tune(again);
  t.equal(choices.length, report.choices.length);
  t.ok(choices.every(({ source }) => source === 'remembered'));
  opened.dispose();
});

test('a product of 16-bit floats is tuned, too', async (t) => {
  const opened = await openWebGpu();
  const device = new WebGpuDevice(opened.gpu, opened.info); // without a store: nothing is remembered
  const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  const weight = tensor(values(36 * 40), { shape: [40, 36], dtype: 'f16' });
  const product = (on: WebGpuDevice | typeof cpu) => compile((x) => linear(x, weight), { device: on });
  const [tuned, plain] = [product(device), product(cpu)];
  const x = tensor(values(8 * 36), { shape: [8, 36] });
  await tuned(x);
  const { choices, warnings } = await tune(device, tuned);
  t.deepEqual([choices.length, warnings], [1, []]);
  t.ok(Object.keys(choices[0]?.trials ?? {}).length > 2, 'variants were measured');
  const tolerance = { absolute: 1e-5, relative: 1e-5 };
  t.equal(differs(await (await tuned(x)).data(), await (await plain(x)).data(), tolerance), undefined);
  opened.dispose();
});

test('on the CPU there is nothing to tune', async (t) => {
  t.deepEqual(await tune(cpu), { choices: [], warnings: [] });
});

test('what is no device, no plan and no compiled function is not tuned', async (t) => {
  // @ts-expect-error a promise of a device
  await rejects(t, tune(Promise.resolve(cpu)), OptionError, 'tune: the device must be a device', 'a Promise');
  // @ts-expect-error a plain function
  await rejects(t, tune(cpu, relu), OptionError, 'must be compiled functions or plans, found a function');
  t.deepEqual(
    await tune(
      cpu,
      compile((x) => relu(x)),
    ),
    { choices: [], warnings: [] },
  );
});
