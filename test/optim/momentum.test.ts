/** Momenta that are functions of the step: Adam's beta1, and the momentum of SGD and RMSprop. */
import test from 'tape';
import { openNullDevice } from '../../bench/host/null-device.js';
import {
  Adam,
  AdamW,
  compile,
  type Device,
  LossScale,
  multiply,
  oneCycle,
  oneCycleMomentum,
  type Optimizer,
  OptionError,
  Parameter,
  RMSprop,
  type SafetensorsTensor,
  SGD,
  sum,
  tensor,
  Variable,
} from '../../lib/index.js';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import { differs } from '../support/close.js';
import { countWebGpu } from '../support/count-webgpu.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';
import { webgpu } from '../support/webgpu.js';
import { stepsOf } from '../support/fusing.js';

const STEPS = 20;
const START = [1, -2, 0.5];
const gradientAt = (i: number): number[] => [0, 1, 2].map((k) => (((7 * i + 5 * k * k + 3 * k) % 33) - 16) / 8);

const cycle = { steps: STEPS };
const learningRate = oneCycle(0.1, cycle);
const momentum = oneCycleMomentum(cycle);

type Values = readonly [step: number, ...parameter: readonly number[]];

/** What PyTorch 1.13 makes of START in float64, with OneCycleLR(max_lr=0.1, total_steps=20), behind some of the steps. */
const CASES: readonly (readonly [name: string, make: () => Optimizer, expected: readonly Values[]])[] = [
  [
    'AdamW(weight_decay=0.05)',
    () => new AdamW({ learningRate, beta1: momentum, weightDecay: 0.05 }),
    [
      [0, 1.00379999998, -1.99560000004, 0.495900000032],
      [1, 1.0144498313041765, -1.9855746315508611, 0.49969458313382337],
      [5, 1.0275407201290785, -1.9611456839344081, 0.513263450707061],
      [9, 1.0508522299669283, -1.9531022546318138, 0.5603245284883082],
      [19, 1.035062423545595, -1.9311871216736614, 0.5394482286475892],
    ],
  ],
  [
    'Adam(weight_decay=0.05, amsgrad=True), pct_start=0.5, base_momentum=0, max_momentum=0.9',
    () =>
      new Adam({
        learningRate: oneCycle(0.1, { ...cycle, rise: 0.5 }),
        beta1: oneCycleMomentum({ ...cycle, rise: 0.5, min: 0, max: 0.9 }),
        ...{ weightDecay: 0.05, amsgrad: true },
      }),
    [
      [0, 1.003999999979487, -1.9960000000363636, 0.49600000003137257],
      [1, 1.009644230642885, -1.9914545554154373, 0.49843541277886005],
      [5, 1.024191636958485, -1.9511942312668804, 0.45920690267231196],
      [9, 0.8561230289278547, -2.032075468609367, 0.5061415957665016],
      [19, 0.8780105205099602, -1.9186731268281292, 0.4317138842350967],
    ],
  ],
  [
    'SGD(dampening=0.5, weight_decay=0.01)',
    () => new SGD({ learningRate, momentum, dampening: 0.5, weightDecay: 0.01 }),
    [
      [0, 1.00796, -1.99592, 0.49498],
      [1, 1.0399425295504956, -1.9823348963231542, 0.49257381931356803],
      [5, 1.4633885629485883, -1.840979095922171, 0.4788936059181277],
      [9, 1.8282498796185964, -1.841941249915909, 0.6318404062970745],
      [19, 1.9086432931157191, -1.7791908969045627, 0.5499692922138559],
    ],
  ],
  [
    'SGD(nesterov=True)',
    () => new SGD({ learningRate, momentum, nesterov: true }),
    [
      [0, 1.0156, -1.9922, 0.49025],
      [1, 1.0676354324822686, -1.97736052859236, 0.5267934388483859],
      [5, 1.4816487854297107, -1.844030516614178, 0.5812676188635931],
      [9, 1.7523264468939777, -2.163904526928249, 1.188322406565569],
      [19, 1.865227908959595, -2.0850682808418415, 1.0539396480178271],
    ],
  ],
  [
    'RMSprop(), max_lr=0.01',
    () => new RMSprop({ learningRate: oneCycle(0.01, cycle), momentum }),
    [
      [0, 1.0039999998, -1.9960000004, 0.49600000032],
      [1, 1.0228631080726038, -1.9819756237834483, 0.4947983764792311],
      [5, 1.2506241633986215, -1.93158084149461, 0.5054620739582588],
      [9, 1.4533070092764893, -1.9653014594457934, 0.5911607012350723],
      [19, 1.5019773366272697, -1.9677085339290477, 0.5524493155242541],
    ],
  ],
  [
    'RMSprop(centered=True), max_lr=0.01',
    () => new RMSprop({ learningRate: oneCycle(0.01, cycle), momentum, centered: true }),
    [
      [0, 1.0040201510590165, -1.9959798491430034, 0.49597984906219544],
      [1, 1.0230062597115772, -1.981882848389068, 0.49472170615648947],
      [5, 1.2527595302318744, -1.9306855593188292, 0.5047497056845379],
      [9, 1.4574744117350722, -1.9639780967830258, 0.5902750956258854],
      [19, 1.5071277693113017, -1.966312552033636, 0.5515191386509741],
    ],
  ],
];

/** A parameter, and a step with a given gradient. */
function trainee(optimizer: Optimizer, device: Device) {
  const parameter = new Parameter('p', Float32Array.from(START));
  const step = compile((own) => optimizer.apply([parameter], [own]), { device });
  return { parameter, step };
}

test("with OneCycleLR's momentum optimizers have PyTorch's values in float64 as well", async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'float64' });
  for (const [name, make, expected] of CASES) {
    const { parameter, step } = trainee(make(), device);
    for (let i = 0; i < STEPS; i++) await step(gradientAt(i));
    const [, ...values] = expected.at(-1) ?? [];
    // Rates and momenta are floats, the rest is not.
    t.equal(differs(await parameter.data(), values, { absolute: 2e-7, relative: 1e-7 }), undefined, name);
  }
});

testOnDevices("with OneCycleLR's momentum optimizers have the values of PyTorch", async (t, device) => {
  for (const [name, make, expected] of CASES) {
    const { parameter, step } = trainee(make(), device);
    for (let i = 0; i < STEPS; i++) {
      await step(gradientAt(i));
      const [, ...values] = expected.find(([at]) => at === i) ?? [];
      if (values.length === 0) continue;
      const difference = differs(await parameter.data(), values, { absolute: 2e-6, relative: 1e-6 });
      t.equal(difference, undefined, `${name}, step ${i}`);
    }
  }
});

test('beta1^t has all digits of float32 where beta1 is close to 1, and is right where it is 0, on webgpu', async (t) => {
  const device = await webgpu();
  for (const beta1 of [0, 0.5, 0.71, 0.9, 0.999, 0.9999]) {
    for (const steps of [1, 2, 3, 50_000]) {
      const own = new Adam({ learningRate: 1, beta1, beta2: 0, epsilon: 0 });
      const { parameter, step } = trainee(own, device);
      parameter.set(new Float32Array(3));
      const tensors = new Map<string, SafetensorsTensor>([
        ['p.step', { dtype: 'F32', shape: [], data: Float32Array.of(steps - 1) }],
        ['p.exp_avg', { dtype: 'F32', shape: [3], data: new Float32Array(3) }],
        ['p.exp_avg_sq', { dtype: 'F32', shape: [3], data: new Float32Array(3) }],
      ]);
      own.loadState([parameter], { tensors });
      await step([-1, 1, -1]);
      // m = 1 - beta1, v = 1
      const moved = (1 - beta1) / (1 - beta1 ** steps);
      const difference = differs(await parameter.data(), [moved, -moved, moved], { absolute: 0, relative: 1e-6 });
      t.equal(difference, undefined, `beta1 ${beta1}, step ${steps}`);
    }
  }
});

testOnDevices('steps that share a submit have a momentum each', async (t, device) => {
  for (const [name, make] of CASES) {
    const parameter = new Parameter('p', Float32Array.from(START));
    const optimizer = make();
    const step = compile(() => optimizer.apply([parameter], [tensor(gradientAt(3))]), { device });
    await step.repeat(STEPS);
    const one = trainee(make(), device);
    for (let i = 0; i < STEPS; i++) await one.step(gradientAt(3));
    t.deepEqual(await parameter.data(), await one.parameter.data(), name);
  }
});

testOnDevices('an optimizer goes on from its state with the momentum of the step', async (t, device) => {
  for (const [name, make] of CASES) {
    const whole = trainee(make(), device);
    for (let i = 0; i < 9; i++) await whole.step(gradientAt(i));
    const [before, after] = [make(), make()];
    const first = trainee(before, device);
    for (let i = 0; i < 4; i++) await first.step(gradientAt(i));
    const second = trainee(after, device);
    second.parameter.set(await first.parameter.data());
    after.loadState([second.parameter], { tensors: await before.state() });
    for (let i = 4; i < 9; i++) await second.step(gradientAt(i));
    t.deepEqual(await second.parameter.data(), await whole.parameter.data(), name);
  }
});

testOnDevices('groups have momenta of their own, numbers or functions', async (t, device) => {
  const parameters = ['a', 'b', 'c', 'd'].map((name) => new Parameter(name, Float32Array.of(0)));
  const [a, b, c, d] = parameters;
  if (!a || !b || !c || !d) throw new Error('four');
  const optimizer = new SGD({
    ...{ learningRate: 1, momentum: 0.5 },
    groups: [
      { parameters: [b], momentum: 0.25 },
      { parameters: [c], momentum: (step) => step / 4 },
      { parameters: [d], momentum: 0 },
    ],
  });
  const ones = parameters.map(() => tensor([-1]));
  const step = compile(() => optimizer.apply(parameters, ones), { device });
  for (let i = 0; i < 3; i++) await step();
  const values = await Promise.all(parameters.map((parameter) => parameter.data()));
  // v = 1, then 1 + momentum, then 1 + momentum · that
  t.deepEqual(
    values.map(([value]) => value),
    [1 + 1.5 + 1.75, 1 + 1.25 + 1.3125, 1 + 1.25 + 1.625, 3],
  );
  const moves = stepsOf(step).filter((name) => name === 'advance');
  t.equal(moves.length, 2, 'those whose momentum stays share a state');
});

testOnDevices('two steps of a parameter in one replay have the same momentum', async (t, device) => {
  const optimizer = new SGD({ learningRate: 1, momentum: (step) => (step === 0 ? 0.5 : 0.25) });
  const parameter = new Parameter('p', Float32Array.of(0));
  const step = compile(
    () => {
      for (let i = 0; i < 2; i++) optimizer.apply([parameter], [tensor([-1])]);
    },
    { device },
  );
  await step();
  t.deepEqual(await parameter.data(), Float32Array.of(1 + 1.5));
  await step();
  t.deepEqual(await parameter.data(), Float32Array.of(2.5 + (1 + 1.5 / 4) + (1 + (1 + 1.5 / 4) / 4)));
});

testOnDevices('a step that is skipped leaves the momentum of the next one alone', async (t, device) => {
  const parameter = new Parameter('p', Float32Array.of(0));
  const optimizer = new SGD({ learningRate: 1, momentum: (step) => 1 / (2 + step) });
  const lossScale = new LossScale({ initial: 4 });
  const step = compile(
    (factor) => void optimizer.minimize(sum(multiply(parameter, factor)), [parameter], { lossScale }),
    {
      device,
    },
  );
  for (const factor of [-1, Infinity, -1]) await step(tensor([factor]));
  t.deepEqual(await parameter.data(), Float32Array.of(1 + 1.25), 'a quarter in the third step');
});

testOnDevices('the factor of the learning rate leaves the momentum alone', async (t, device) => {
  const optimizer = new SGD({ learningRate: 1, momentum: () => 0.5 });
  const { parameter, step } = trainee(optimizer, device);
  parameter.set(new Float32Array(3));
  optimizer.learningRateFactor = 0.25;
  for (let i = 0; i < 2; i++) await step([-4, 0, 4]);
  t.deepEqual(await parameter.data(), Float32Array.of(2.5, 0, -2.5));
});

test('momenta are uploaded together with rates, and only where they changed', async (t) => {
  const device = await openNullDevice();
  const momenta = [0.9, 0.9, 0.8, 0.8, 0.9];
  const optimizer = new AdamW({ learningRate: 0.1, beta1: (step) => momenta[step] ?? 0.9 });
  const parameter = new Parameter('p', Float32Array.of(1, 2));
  const given = new Variable('g', Float32Array.of(1, 1));
  const step = compile(() => optimizer.apply([parameter], [given.value]), { device });
  const counter = countWebGpu(device);
  const writes = [];
  for (let i = 0; i < momenta.length; i++) {
    counter.reset();
    await step();
    writes.push(counter.values.writes);
  }
  t.deepEqual(writes.slice(1), [0, 1, 0, 1], 'the first step uploads everything');
  device.dispose();
});

test('a schedule that gives no momentum stops at its step, naming it, and one at the beginning is refused', async (t) => {
  for (const bad of [NaN, 1, -0.5]) {
    const optimizer = new AdamW({ learningRate: 0.1, beta1: (step) => (step === 2 ? bad : 0.9) });
    const { parameter, step } = trainee(optimizer, cpu);
    await step([1, 1, 1]);
    await step([1, 1, 1]);
    const before = await parameter.data();
    await rejects(t, step([1, 1, 1]), OptionError, 'momentum (Adam: beta1)', String(bad), 'step 2');
    t.deepEqual(await parameter.data(), before, 'nothing is updated');
    t.equal(optimizer.step, 2);
    refuses(t, () => new SGD({ learningRate: 0.1, momentum: () => bad }), OptionError, 'momentum', `${bad} at step 0`);
  }
  refuses(t, () => new SGD({ learningRate: 0.1, momentum: '0.9' as never }), OptionError, 'or a function of the step');
  const group = { parameters: [], beta1: () => 1 };
  refuses(t, () => new Adam({ groups: [group] }), OptionError, '1 at step 0');
  t.end();
});
