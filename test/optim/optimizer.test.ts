import test from 'tape';
import {
  add,
  argmax,
  cast,
  compile,
  defineUpdate,
  concat,
  Dense,
  gradient,
  multiply,
  Optimizer,
  OptionError,
  Parameter,
  reshape,
  run,
  SGD,
  ShapeError,
  square,
  sum,
  tensor,
  type Tensor,
  TraceError,
  Variable,
} from '../../lib/index.js';
import { countWebGpu } from '../support/count-webgpu.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';
import { openWebGpu } from '../support/webgpu.js';

testOnDevices('a learning rate given as a function is that of the steps 0, 1, 2 …', async (t, device) => {
  const asked: number[] = [];
  const rates = [0.5, 0.25, 0.25, 0, 2];
  const optimizer = new SGD({
    learningRate: (step) => {
      asked.push(step);
      return rates[step] ?? 0;
    },
  });
  const parameter = new Parameter('p', Float32Array.of(0));
  const step = compile((g) => optimizer.apply([parameter], [g]), { device });
  const values = [];
  for (const rate of rates) {
    t.equal(optimizer.learningRate, rate, `the rate of step ${optimizer.step}`);
    await step([-1]);
    values.push((await parameter.data())[0]);
  }
  t.deepEqual(values, [0.5, 0.75, 1, 1, 3]);
  t.equal(optimizer.step, rates.length);
  t.deepEqual([...new Set(asked)], [0, 1, 2, 3, 4]);
});

test('a learning rate is uploaded only when it changed', async (t) => {
  const device = await openWebGpu();
  const rates = [0.1, 0.1, 0.05, 0.05, 0.05, 0.1];
  const optimizer = new SGD({ learningRate: (step) => rates[step] ?? 0, momentum: 0.9 });
  const parameter = new Parameter('p', Float32Array.of(1, 2));
  const given = new Variable('g', Float32Array.of(1, 1));
  const step = compile(() => optimizer.apply([parameter], [given.value]), { device });
  const counter = countWebGpu(device);
  const writes = [];
  for (const rate of rates) {
    t.equal(optimizer.learningRate, rate);
    counter.reset();
    await step();
    writes.push(counter.values.writes);
  }
  t.deepEqual(writes.slice(1), [0, 1, 0, 0, 1], 'the first step uploads everything');
  device.dispose();
});

test('a schedule that gives no learning rate stops at its step, naming it', async (t) => {
  const optimizer = new SGD({ learningRate: (step) => (step === 2 ? NaN : 0.1) });
  const parameter = new Parameter('p', Float32Array.of(1));
  const step = compile((g) => optimizer.apply([parameter], [g]), { device: cpu });
  await step([1]);
  await step([1]);
  const before = await parameter.data();
  await rejects(t, step([1]), OptionError, 'learning rate', 'NaN', 'step 2');
  t.deepEqual(await parameter.data(), before, 'nothing is updated');
  t.equal(optimizer.step, 2);
});

testOnDevices('minimize computes the gradients of the loss, steps, and gives them back', async (t, device) => {
  const optimizer = new SGD({ learningRate: 0.25 });
  const [a, b] = [new Parameter('a', Float32Array.of(1, -2)), new Parameter('b', Float32Array.of(3), [])];
  // loss = b Σ a²: dA = 2 b a = [6, -12], dB = Σ a² = 5
  const step = compile(() => optimizer.minimize(multiply(b, sum(square(a))), [a, b]), { device });
  const [dA, dB] = await step();
  t.deepEqual([await dA?.data(), await dB?.data()], [Float32Array.of(6, -12), Float32Array.of(5)]);
  t.deepEqual(await a.data(), Float32Array.of(-0.5, 1));
  t.deepEqual(await b.data(), Float32Array.of(1.75));
});

testOnDevices('a parameter that the loss does not reach stays, weight decay or not', async (t, device) => {
  for (const momentum of [0, 0.5]) {
    const optimizer = new SGD({ learningRate: 0.5, momentum, weightDecay: 0.5 });
    const [a, b, c] = [1, 2, 3].map((value) => new Parameter('p', Float32Array.of(value), []));
    if (!a || !b || !c) throw new Error('three');
    // c is reached by whole numbers alone: its place among others has no derivative
    const step = compile(
      () =>
        optimizer.minimize(multiply(square(a), cast(argmax(concat([reshape(c, [1]), tensor([0])])), 'f32')), [a, b, c]),
      { device },
    );
    const gradients = await step();
    const values = await Promise.all([a, b, c].map(async (parameter) => (await parameter.data())[0]));
    t.deepEqual(values, [1 - 0.5 * 0.5, 2, 3], 'a has the gradient 0, and decays');
    t.deepEqual(await Promise.all(gradients.map((own) => own.item())), [0, 0, 0]);
  }
});

testOnDevices('a parameter that is listed twice takes one step', async (t, device) => {
  for (const momentum of [0, 0.5]) {
    const optimizer = new SGD({ learningRate: 0.25, momentum });
    const [a, b] = [new Parameter('a', Float32Array.of(1)), new Parameter('b', Float32Array.of(1))];
    const step = compile(() => optimizer.minimize(sum(add(square(a), square(b))), [a, b, a]), { device });
    const gradients = await step();
    t.deepEqual([await a.data(), await b.data()], [Float32Array.of(0.5), Float32Array.of(0.5)]);
    t.deepEqual(await Promise.all(gradients.map((own) => own.item())), [2, 2, 2]);
    const twice = (): Promise<void> => run(() => optimizer.apply([a, a], [tensor([1]), tensor([1])]), { device });
    await rejects(t, twice(), OptionError, 'a twice');
    t.deepEqual(await a.data(), Float32Array.of(0.5));
  }
});

testOnDevices('a frozen parameter stays, until it is unfrozen; a compiled step follows', async (t, device) => {
  const optimizer = new SGD({ learningRate: 0.25, weightDecay: 0.5, momentum: 0.5 });
  const [a, b] = [new Parameter('a', Float32Array.of(1)), new Parameter('b', Float32Array.of(1))];
  let recordings = 0;
  const step = compile(
    () => {
      recordings++;
      return optimizer.minimize(sum(multiply(a, b)), [a, b]);
    },
    { device },
  );
  const values = async (): Promise<unknown> => [(await a.data())[0], (await b.data())[0]];
  a.freeze();
  t.notOk(a.isTrainable);
  t.equal(await (await step())[0]?.item(), 0, 'its gradient is not asked for');
  t.deepEqual(await values(), [1, 0.625], '1 - 0.25 · (1 + 0.5)');
  a.unfreeze();
  b.freeze();
  await step();
  t.deepEqual(await values(), [0.71875, 0.625], '1 - 0.25 · (0.625 + 0.5)');
  await step();
  t.equal(recordings, 2);
  a.freeze();
  await rejects(t, step(), OptionError, 'all', 'frozen');
  const apply = (): Promise<void> => run(() => optimizer.apply([a, b], [tensor([1]), tensor([1])]), { device });
  await rejects(t, apply(), OptionError, 'all', 'frozen');
  const before = await b.data();
  a.unfreeze();
  await apply();
  t.deepEqual(await b.data(), before);
});

test('namesakes of two models keep a state each', async (t) => {
  const optimizer = new SGD({ learningRate: 0.5, momentum: 0.5 });
  const parameters = [1, 2, 3].map(() => new Parameter('fc.weight', Float32Array.of(0)));
  parameters.push(new Parameter('fc.weight#2', Float32Array.of(0)));
  const gradients = parameters.map((_, i) => tensor([i]));
  await run(() => optimizer.apply(parameters, gradients), { device: cpu });
  const state = optimizer.namedVariables();
  t.deepEqual(await Promise.all([...state].map(async ([name, velocity]) => [name, (await velocity.data())[0]])), [
    ['fc.weight.momentum_buffer', 0],
    ['fc.weight#2.momentum_buffer', 1],
    ['fc.weight#3.momentum_buffer', 2],
    ['fc.weight#2#2.momentum_buffer', 3],
  ]);
  optimizer.dispose();
  for (const velocity of state.values()) await rejects(t, velocity.data(), TraceError, 'dispose');
});

testOnDevices('one optimizer may be stepped by several functions: it counts the steps of all', async (t, device) => {
  const optimizer = new SGD({ learningRate: (step) => (step === 0 ? 1 : 0.5), momentum: 0.5 });
  const parameter = new Parameter('p', Float32Array.of(0));
  const ones = compile((g) => optimizer.apply([parameter], [g]), { device });
  const others = (g: Tensor): Promise<void> => run(() => optimizer.apply([parameter], [g]), { device });
  await ones([-1]); // velocity -1, parameter 1
  await others(tensor([-1])); // velocity -1.5, parameter 1.75: not a first step any more
  t.deepEqual(await parameter.data(), Float32Array.of(1.75));
  await ones([-1]); // velocity -1.75
  t.deepEqual(await parameter.data(), Float32Array.of(2.625));
  t.equal(optimizer.step, 3);
});

test('an optimizer is refused outside of a traced function, without parameters, and with too few gradients', async (t) => {
  const optimizer = new SGD({ learningRate: 0.5 });
  const [a, b] = [new Parameter('a', Float32Array.of(1, 2)), new Parameter('b', Float32Array.of(1))];
  refuses(t, () => optimizer.apply([a], [tensor([1, 1])]), TraceError, 'optimizer', 'compile() or run()');
  const attempt = (work: () => void): Promise<void> => run(work, { device: cpu });
  await rejects(
    t,
    attempt(() => optimizer.apply([], [])),
    OptionError,
    'no parameters',
    'model.build',
  );
  await rejects(
    t,
    attempt(() => optimizer.apply([a, b], [tensor([1, 1])])),
    OptionError,
    '1 gradients for 2 parameters',
  );
  await rejects(
    t,
    attempt(() => optimizer.apply([a], [tensor([1, 1, 1])])),
    ShapeError,
    '[3]',
    '[2]',
  );
  for (const given of [new Dense(2), [a, new Dense(2)], [tensor(1)], undefined] as never[]) {
    await rejects(
      t,
      attempt(() => void optimizer.minimize(sum(square(a)), given)),
      OptionError,
      'an array of parameters',
      'model.parameters()',
    );
  }
  t.equal(optimizer.step, 0);
  await attempt(() => optimizer.apply([a], [tensor([2, 0])]));
  t.deepEqual(await a.data(), Float32Array.of(0, 2), 'the control');
});

test('what is no rule is refused, naming what is wrong with it', (t) => {
  const rule = {
    ...{ name: 'own', slots: ['momentum_buffer'], reference: () => [0, 0], kernelSettings: () => ({}), cases: [] },
    wgsl: { source: '', call: 'own', prepare: { call: 'ownRate', type: 'f32' }, fields: ['parameter', 'velocity'] },
  };
  const define = (junk: unknown) => defineUpdate(junk as never);
  for (const junk of [undefined, null, 'rule', 7, []]) {
    refuses(t, () => define(junk), OptionError, 'defineUpdate: options must be an object');
  }
  refuses(t, () => define({}), OptionError, 'defineUpdate: name must be a text, found undefined');
  refuses(t, () => define({ ...rule, slots: 'momentum' }), OptionError, 'slots must be an array of texts');
  refuses(t, () => define({ ...rule, reference: 1 }), OptionError, 'reference must be a function, found 1');
  refuses(t, () => define({ ...rule, kernel: 1 }), OptionError, "unknown option 'kernel'");
  refuses(t, () => define({ ...rule, wgsl: 'fn own() {}' }), OptionError, 'wgsl must be an object');
  refuses(
    t,
    () => define({ ...rule, wgsl: { ...rule.wgsl, prepare: undefined } }),
    OptionError,
    'own: wgsl: prepare must be an object',
  );
  refuses(t, () => define({ ...rule, wgsl: { ...rule.wgsl, fields: ['parameter'] } }), OptionError, '1 slots, found 1');
  refuses(t, () => define({ ...rule, wat: {} }), OptionError, 'own: wat: module must be a text');
  const update = define(rule);
  for (const junk of [undefined, 3, { rate: '1' }]) {
    refuses(
      t,
      () => update.with(junk as never),
      OptionError,
      'own: the settings must be an object of numbers and flags',
    );
  }
  class Own extends Optimizer {
    constructor(junk: unknown) {
      super(junk as never);
    }
  }
  refuses(t, () => new Own(undefined), OptionError, 'the rule of an optimizer: options must be an object');
  refuses(t, () => new Own({ learningRate: 1 }), OptionError, 'update must be a rule of defineUpdate');
  refuses(t, () => new Own({ learningRate: 1, update: update }), OptionError, 'update must be a rule of defineUpdate');
  t.ok(new Own({ learningRate: 1, update: update.with({}) }), 'the control');
  t.end();
});

testOnDevices('an optimizer of your own is a rule: its reference and its WGSL', async (t, device) => {
  /** p ← factor · rate · gradient: enough to see that the base class hands on what it should. */
  const constantUpdate = defineUpdate<{ readonly factor: number }>({
    name: 'constantUpdate',
    slots: [],
    reference: (_p, own, _slots, { rate }, { factor }) => [factor * rate * own],
    wgsl: {
      source: `
        fn constantRate(rate: u32, step: u32, take: u32, ahead: u32, factor: f32) -> f32 { return bitcast<f32>(rate); }
        fn constant(p: Element, own: Element, rate: f32, ahead: u32, factor: f32) -> Element { return factor * rate * own; }`,
      call: 'constant',
      prepare: { call: 'constantRate', type: 'f32' },
    },
    kernelSettings: ({ factor }) => ({ factor }),
    cases: [],
  });
  class Constant extends Optimizer {
    constructor() {
      super({ learningRate: (step) => 0.25 / (1 + step), update: constantUpdate.with({ factor: 2 }) });
    }
  }
  const parameter = new Parameter('p', Float32Array.of(3));
  const optimizer = new Constant();
  await run(() => optimizer.apply([parameter], gradient(sum(square(parameter)), [parameter])), { device });
  t.deepEqual(await parameter.data(), Float32Array.of(3), '0.5 · 2 · 3');
  t.equal(optimizer.step, 1);
  const step = compile(
    () => {
      optimizer.minimize(sum(square(parameter)), [parameter]);
    },
    { device },
  );
  await step.repeat(3);
  const [value = NaN] = await parameter.data();
  t.ok(Math.abs(value - 0.125) < 1e-6, `${value}: 3 · 1/2 · 1/3 · 1/4`);
  t.equal(optimizer.step, 4);
});
