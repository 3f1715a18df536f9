/** Adam, AdamW, RMSprop and Adagrad: against PyTorch's formulas written out, and what all optimizers have in common. */
import test from 'tape';
import {
  add,
  Adagrad,
  Adam,
  AdamW,
  clipGradNorm,
  compile,
  DataError,
  type Device,
  gradient,
  linear,
  multiply,
  type Optimizer,
  OptionError,
  Parameter,
  relu,
  RMSprop,
  run,
  SGD,
  square,
  sum,
  tensor,
} from '../../lib/index.js';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import { RandomStream } from '../../lib/random.js';
import { differs } from '../support/close.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';
import { fusedBindings, fusingCpu, stepsOf } from '../support/fusing.js';

const TOLERANCE = { absolute: 1e-6, relative: 2e-6 };
const STEPS = 12;
const GRADIENTS = new RandomStream(4, 'gradients').normal(STEPS * 7);
const START = new RandomStream(4, 'start').normal(7);

type Slots = Record<string, number>;
/** A step of one element as torch.optim's documentation has it: t counts from 1, s is what is remembered. */
type Formula = (p: number, gradient: number, t: number, s: Slots) => number;

const adam =
  (rate: number, decay: number, decoupled: boolean, amsgrad = false): Formula =>
  (p, own, t, s) => {
    const g = decoupled ? own : own + decay * p;
    const start = decoupled ? p * (1 - rate * decay) : p;
    const m = (s['exp_avg'] = 0.9 * (s['exp_avg'] ?? 0) + 0.1 * g);
    const v = (s['exp_avg_sq'] = 0.999 * (s['exp_avg_sq'] ?? 0) + 0.001 * g * g);
    const most = amsgrad ? (s['max_exp_avg_sq'] = Math.max(s['max_exp_avg_sq'] ?? 0, v)) : v;
    return start - (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(most / (1 - 0.999 ** t)) + 1e-8);
  };

const rmsprop =
  (rate: number, alpha: number, momentum: number, centered: boolean): Formula =>
  (p, g, _t, s) => {
    const v = (s['square_avg'] = alpha * (s['square_avg'] ?? 0) + (1 - alpha) * g * g);
    const a = centered ? (s['grad_avg'] = alpha * (s['grad_avg'] ?? 0) + (1 - alpha) * g) : 0;
    const step = g / (Math.sqrt(v - a * a) + 1e-8);
    if (momentum === 0) return p - rate * step;
    return p - rate * (s['momentum_buffer'] = momentum * (s['momentum_buffer'] ?? 0) + step);
  };

const adagrad: Formula = (p, own, t, s) => {
  const g = own + 0.01 * p;
  const total = (s['sum'] = (s['sum'] ?? 0.5) + g * g);
  return p - ((0.1 / (1 + (t - 1) * 0.2)) * g) / (Math.sqrt(total) + 1e-10);
};

const CASES: readonly (readonly [string, () => Optimizer, Formula])[] = [
  ['Adam', () => new Adam(), adam(0.001, 0, false)],
  ['Adam with weight decay', () => new Adam({ learningRate: 0.02, weightDecay: 0.1 }), adam(0.02, 0.1, false)],
  ['Adam with amsgrad', () => new Adam({ learningRate: 0.02, amsgrad: true }), adam(0.02, 0, false, true)],
  ['AdamW', () => new AdamW(), adam(0.001, 0.01, true)],
  ['AdamW with amsgrad', () => new AdamW({ weightDecay: 0.3, amsgrad: true }), adam(0.001, 0.3, true, true)],
  ['RMSprop', () => new RMSprop(), rmsprop(0.01, 0.99, 0, false)],
  ['RMSprop with momentum', () => new RMSprop({ alpha: 0.9, momentum: 0.8 }), rmsprop(0.01, 0.9, 0.8, false)],
  ['RMSprop, centered', () => new RMSprop({ alpha: 0.9, centered: true }), rmsprop(0.01, 0.9, 0, true)],
  [
    'RMSprop, centered, with momentum',
    () => new RMSprop({ alpha: 0.9, centered: true, momentum: 0.5 }),
    rmsprop(0.01, 0.9, 0.5, true),
  ],
  [
    'Adagrad',
    () => new Adagrad({ learningRate: 0.1, learningRateDecay: 0.2, initialAccumulatorValue: 0.5, weightDecay: 0.01 }),
    adagrad,
  ],
];

for (const [name, make, formula] of CASES) {
  testOnDevices(`${name} follows its formula`, async (t, device) => {
    const optimizer = make();
    const parameter = new Parameter('p', START.slice());
    const step = compile((own) => optimizer.apply([parameter], [own]), { device });
    const expected = Float64Array.from(START);
    const slots = Array.from(expected, (): Slots => ({}));
    for (let i = 0; i < STEPS; i++) {
      const own = GRADIENTS.subarray(7 * i, 7 * (i + 1));
      await step(own);
      slots.forEach((s, e) => (expected[e] = formula(expected[e] ?? NaN, own[e] ?? NaN, i + 1, s)));
    }
    t.equal(differs(await parameter.data(), expected, TOLERANCE), undefined, 'the parameter');
    const state = await optimizer.state();
    for (const slot of Object.keys(slots[0] ?? {})) {
      const data = state.get(`p.${slot}`)?.data;
      const wanted = Float64Array.from(slots, (own) => own[slot] ?? NaN);
      t.equal(data instanceof Float32Array && differs(data, wanted, TOLERANCE), undefined, slot);
    }
    const names = [...Object.keys(slots[0] ?? {}), 'step'].map((own) => `p.${own}`);
    t.deepEqual([...state.keys()].sort(), [...names, 'step'].sort());
    t.deepEqual(state.get('p.step')?.data, Float32Array.of(STEPS));
  });
}

/** A layer's step, with its weight's and its bias's gradients from one product. */
function layerStep(optimizer: Optimizer, device: Device) {
  const weight = new Parameter('weight', new RandomStream(5, 'weight').normal(7 * 5), [7, 5]);
  const bias = new Parameter('bias', new RandomStream(5, 'bias').normal(7));
  const x = tensor(new RandomStream(5, 'x').normal(9 * 5), { shape: [9, 5] });
  const step = compile(
    () => {
      const y = relu(linear(x, weight, bias));
      optimizer.minimize(sum(multiply(y, y)), [weight, bias]);
    },
    { device },
  );
  return { step, weight, bias };
}

testOnDevices('weights and biases are updated beside their gradients, by any rule', async (t, device) => {
  for (const [name, make] of CASES) {
    const results = [];
    for (const on of [new CpuDevice({ reason: 'test' }), device]) {
      const { step, weight, bias } = layerStep(make(), on);
      for (let i = 0; i < 3; i++) await step();
      results.push([await weight.data(), await bias.data()]);
    }
    const [expected, got] = results;
    got?.forEach((values, i) => {
      t.equal(differs(values, expected?.[i] ?? [], { absolute: 2e-5, relative: 2e-5 }), undefined, `${name}, ${i}`);
    });
  }
});

test('Adam beside a weight and its bias is one step of eight buffers', async (t) => {
  for (const optimizer of [new Adam(), new AdamW({ amsgrad: true })]) {
    const { step } = layerStep(optimizer, fusingCpu());
    await step();
    t.ok(
      stepsOf(step).some((name) => /^matmul \+ sum \+ adam\w*Update \+ adam\w*Update$/.test(name)),
      stepsOf(step).join('; '),
    );
    t.ok(fusedBindings(step).every((count) => count <= 8));
  }
});

testOnDevices('steps are counted for each parameter', async (t, device) => {
  const twice = new SGD({ learningRate: 1, momentum: 0.9 });
  const p = new Parameter('p', Float32Array.of(0));
  const both = compile(
    () => {
      twice.minimize(sum(p), [p]);
      twice.minimize(sum(p), [p]);
    },
    { device },
  );
  await both();
  t.equal(
    differs((await twice.velocity(p)?.data()) ?? new Float32Array(0), [1.9], TOLERANCE),
    undefined,
    'v = 1, then 0.9 + 1',
  );
  t.equal(differs(await p.data(), [-2.9], TOLERANCE), undefined);
  t.deepEqual((await twice.state()).get('p.step')?.data, Float32Array.of(2));
  await both();
  // 0.9 · 1.9 + 1 = 2.71, 0.9 · 2.71 + 1 = 3.439
  t.equal(differs((await twice.velocity(p)?.data()) ?? new Float32Array(0), [3.439], TOLERANCE), undefined);

  const late = new SGD({ learningRate: 0.1, momentum: 0.9, dampening: 0.5 });
  const [a, b] = [new Parameter('a', Float32Array.of(1)), new Parameter('b', Float32Array.of(1))];
  await run(() => late.apply([a], [tensor([1])]), { device });
  await run(() => late.apply([a, b], [tensor([1]), tensor([1])]), { device });
  t.equal(differs(await b.data(), [0.9], TOLERANCE), undefined, 'b takes its first step: v = g');
  t.equal(differs(await a.data(), [1 - 0.1 - 0.1 * 1.4], TOLERANCE), undefined, 'a its second: v = 0.9 + 0.5');

  const adams = new Adam({ learningRate: 0.1 });
  const [c, d] = [new Parameter('c', Float32Array.of(1)), new Parameter('d', Float32Array.of(1))];
  const ofC = compile(() => adams.apply([c], [tensor([2])]), { device });
  const ofD = compile(() => adams.apply([d], [tensor([2])]), { device });
  for (let i = 0; i < 3; i++) await ofC();
  await ofD();
  t.equal(differs(await d.data(), [0.9], TOLERANCE), undefined, 'the first step of Adam is the rate');
});

testOnDevices('a gradient that is the parameter itself', async (t, device) => {
  const p = new Parameter('p', Float32Array.of(1, -2));
  const optimizer = new SGD({ learningRate: 0.25 });
  await compile(() => optimizer.apply([p], [p.value]), { device })();
  t.deepEqual(await p.data(), Float32Array.of(0.75, -1.5));
});

testOnDevices('groups of parameters have options of their own', async (t, device) => {
  const [weight, bias, head] = ['weight', 'bias', 'head'].map((name) => new Parameter(name, Float32Array.of(1)));
  if (!weight || !bias || !head) return;
  const optimizer = new SGD({
    learningRate: 0.5,
    weightDecay: 1,
    groups: [
      { parameters: ({ name }) => name === 'bias', weightDecay: 0 },
      { parameters: [head], learningRate: (step) => 0.25 / (1 + step), momentum: 0.5 },
    ],
  });
  const all = [weight, bias, head];
  const step = compile(() => optimizer.apply(all, [tensor([1]), tensor([1]), tensor([1])]), { device });
  await step();
  t.deepEqual(
    (await Promise.all(all.map((own) => own.data()))).map(([value]) => value),
    [0, 0.5, 0.5],
  );
  await step();
  // weight 0 - 0.5 · (1 + 0); bias 0.5 - 0.5; head: g = 1.5, v = 0.5 · 2 + 1.5 = 2.5, rate 0.125
  t.deepEqual(
    (await Promise.all(all.map((own) => own.data()))).map(([value]) => value),
    [-0.5, 0, 0.1875],
  );
});

testOnDevices('gradients are clipped by value and by their common norm', async (t, device) => {
  const step = async (options: { readonly clipGradNorm?: number; readonly clipGradValue?: number }) => {
    const [a, b] = [new Parameter('a', Float32Array.of(0, 0)), new Parameter('b', Float32Array.of(0))];
    const optimizer = new SGD({ learningRate: 1, ...options });
    const gradients = [tensor([3, 0]), tensor([-4])];
    await compile(() => optimizer.apply([a, b], gradients), { device })();
    return Float32Array.of(...(await a.data()), ...(await b.data())).map((value) => 0 - value);
  };
  t.equal(differs(await step({ clipGradNorm: 1 }), [0.6, 0, -0.8], TOLERANCE), undefined, 'a norm of 5');
  t.deepEqual(await step({ clipGradNorm: 10 }), Float32Array.of(3, 0, -4), 'within it already');
  t.deepEqual(await step({ clipGradValue: 2 }), Float32Array.of(2, 0, -2));
  const both = await step({ clipGradValue: 3, clipGradNorm: 1 });
  t.equal(differs(both, [Math.SQRT1_2, 0, -Math.SQRT1_2], TOLERANCE), undefined);
  const results = await run(
    () => {
      const { norm, gradients } = clipGradNorm([tensor([3, 0]), tensor([-4])], 2.5);
      return [norm, ...gradients];
    },
    { device },
  );
  const expected = [[5], [1.5, 0], [-2]];
  for (const [i, result] of results.entries()) {
    t.equal(differs(await result.data(), expected[i] ?? [], TOLERANCE), undefined, `result ${i}`);
  }
});

testOnDevices('an optimizer goes on from its state', async (t, device) => {
  for (const [name, make] of CASES) {
    const [whole, before, after] = [make(), make(), make()];
    const [p, q] = [new Parameter('p', START.slice()), new Parameter('p', START.slice())];
    const stepOf = (optimizer: Optimizer, parameter: Parameter) =>
      compile((own) => optimizer.apply([parameter], [own]), { device });
    const gradientAt = (i: number): Float32Array => GRADIENTS.slice(7 * i, 7 * (i + 1));
    const straight = stepOf(whole, p);
    for (let i = 0; i < 6; i++) await straight(gradientAt(i));
    const first = stepOf(before, q);
    for (let i = 0; i < 3; i++) await first(gradientAt(i));
    after.loadState([q], { tensors: await before.state() });
    t.equal(after.step, 3);
    const second = stepOf(after, q);
    for (let i = 3; i < 6; i++) await second(gradientAt(i));
    t.deepEqual(await q.data(), await p.data(), name);
  }
});

testOnDevices('a schedule goes on where it was, however many steps a call takes', async (t, device) => {
  const make = () => new SGD({ learningRate: (step) => 2 ** -step });
  for (const perCall of [1, 2]) {
    const [p, q] = [new Parameter('p', Float32Array.of(0)), new Parameter('q', Float32Array.of(0))];
    const callOf = (optimizer: Optimizer, parameters: readonly Parameter[]) =>
      compile(
        () => {
          for (let i = 0; i < perCall; i++) optimizer.apply(parameters, [tensor([-1])]);
        },
        { device },
      );
    const before = make();
    const [ofP, ofQ] = [callOf(before, [p]), callOf(before, [q])];
    await ofP();
    await ofP();
    await ofQ(); // by then neither of them has taken as many steps as there were calls, or both more
    const after = make();
    after.loadState([p, q], { tensors: await before.state() });
    t.equal(after.step, 3, `${perCall} a call`);
    t.equal(after.learningRate, 0.125);
    await callOf(after, [p])();
    t.deepEqual(await p.data(), Float32Array.of(perCall * (1 + 0.5 + 0.125)));
  }
});

test('the state of PyTorch, which counts the steps of parameters only, is taken', (t) => {
  const p = new Parameter('p', Float32Array.of(0));
  const optimizer = new SGD({ learningRate: (step) => 2 ** -step });
  optimizer.loadState([p], { tensors: new Map([['p.step', { dtype: 'F32', shape: [], data: Float32Array.of(5) }]]) });
  t.equal(optimizer.step, 5);
  refuses(
    t,
    () =>
      optimizer.loadState([p], {
        tensors: new Map([['step', { dtype: 'F64', shape: [], data: Float64Array.of(-1) }]]),
      }),
    DataError,
    'step is -1',
  );
  t.equal(optimizer.step, 5);
  t.end();
});

test("a state has PyTorch's layouts, as the weights have, and goes back from there", async (t) => {
  // [2, 1, 3] here, [3, 2, 1] in the file.
  const layouts = { pytorch: { axes: [2, 1, 3], order: [2, 0, 1] } };
  const make = () => new Parameter('p', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 1, 3], layouts);
  const [p, q] = [make(), make()];
  const [before, after] = [new Adam({ beta1: 0 }), new Adam({ beta1: 0 })];
  const given = tensor(Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [2, 1, 3] });
  const step = (optimizer: Optimizer, parameter: Parameter) =>
    run(() => optimizer.apply([parameter], [given]), { device: cpu });
  await step(before, p);
  const state = await before.state();
  t.deepEqual(state.get('p.exp_avg'), { dtype: 'F32', shape: [3, 2, 1], data: Float32Array.of(1, 4, 2, 5, 3, 6) });
  after.loadState([q], { tensors: state });
  t.deepEqual(await after.state(), state);
  q.set(await p.data());
  await Promise.all([step(before, p), step(after, q)]);
  t.deepEqual(await q.data(), await p.data());
  const turned = new Map(state).set('p.exp_avg', { dtype: 'F32', shape: [2, 1, 3], data: new Float32Array(6) });
  refuses(
    t,
    () => after.loadState([q], { tensors: turned }),
    DataError,
    'p.exp_avg is [2, 1, 3]',
    'expected [3, 2, 1]',
  );
});

test('a state that does not fit is refused, and nothing is taken', async (t) => {
  const p = new Parameter('p', Float32Array.of(1, 2));
  const optimizer = new Adam();
  await run(() => optimizer.apply([p], [tensor([1, 1])]), { device: cpu });
  const state = await optimizer.state();
  const fresh = new Adam();
  const [name] = state.keys();
  const less = new Map([...state].filter(([own]) => own !== name));
  refuses(t, () => fresh.loadState([p], { tensors: less }), DataError, 'p.exp_avg is missing');
  const more = new Map(state).set('q.exp_avg', { dtype: 'F32', shape: [1], data: Float32Array.of(1) });
  refuses(t, () => fresh.loadState([p], { tensors: more }), DataError, 'q.exp_avg');
  const turned = new Map(state).set('p.exp_avg', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, 2) });
  refuses(t, () => fresh.loadState([p], { tensors: turned }), DataError, 'p.exp_avg is [1, 2]', 'expected [2]');
  for (const steps of [-1, 0.5, NaN, Infinity]) {
    const counted = new Map(state).set('p.step', { dtype: 'F64', shape: [], data: Float64Array.of(steps) });
    refuses(t, () => fresh.loadState([p], { tensors: counted }), DataError, `p.step is ${steps}`, 'whole number');
  }
  for (const wrong of [null, {}, state, { tensors: state.values() }, { tensors: new Map([['p.step', null]]) }]) {
    refuses(t, () => fresh.loadState([p], wrong as never), OptionError, 'the state must be an object with a Map');
  }
  for (const wrong of [null, p, [null], [p.value], 'p']) {
    refuses(
      t,
      () => fresh.loadState(wrong as never, { tensors: state }),
      OptionError,
      'must be an array of parameters',
    );
  }
  t.equal(fresh.step, 0);
  t.end();
});

testOnDevices('the state of an optimizer that left parameters alone is loaded for all of them', async (t, device) => {
  for (const [name, make] of CASES) {
    const start = () => [0, 1].map((i) => new Parameter(`p${i}`, START.slice()));
    const step = (optimizer: Optimizer, trained: readonly Parameter[]) =>
      run(
        () =>
          void optimizer.minimize(
            trained.map((p) => sum(square(p))).reduce((a, b) => add(a, b)),
            trained,
          ),
        { device },
      );
    const [whole, one] = [start(), make()];
    const [resumed, before, after] = [start(), make(), make()];
    for (let i = 0; i < 2; i++) await step(one, whole.slice(1));
    for (let i = 0; i < 2; i++) await step(before, resumed.slice(1));
    after.loadState(resumed, { tensors: await before.state() });
    for (let i = 0; i < 2; i++) await step(one, whole);
    for (let i = 0; i < 2; i++) await step(after, resumed);
    for (const [i, p] of resumed.entries()) t.deepEqual(await p.data(), await whole[i]?.data(), `${name}: p${i}`);
  }
});

test('options out of their range are refused, naming them', (t) => {
  refuses(t, () => new Adam({ beta1: 1 }), OptionError, 'Adam', 'beta1', '1');
  refuses(t, () => new AdamW({ epsilon: -1 }), OptionError, 'AdamW', 'epsilon');
  refuses(t, () => new RMSprop({ alpha: NaN }), OptionError, 'alpha', 'NaN');
  refuses(t, () => new Adagrad({ learningRateDecay: -1 }), OptionError, 'learningRateDecay');
  const mistyped = { learningRate: 0.1, beta_1: 0.9 };
  refuses(t, () => new Adam(mistyped), OptionError, "unknown option 'beta_1'", "'beta1'");
  refuses(t, () => new SGD({ learningRate: 1, clipGradNorm: 0 }), OptionError, 'clipGradNorm');
  const group = { parameters: [], momentun: 0.9 };
  refuses(t, () => new SGD({ learningRate: 1, groups: [group] }), OptionError, 'group 0', "'momentum'");
  const none: object = { momentum: 1 };
  refuses(t, () => new Adam({ groups: [none as never] }), OptionError, 'group 0');
  t.end();
});

test('what the loss does not reach stays, whatever the weight decay', async (t) => {
  const [used, idle] = [new Parameter('used', Float32Array.of(1)), new Parameter('idle', Float32Array.of(1))];
  const optimizer = new AdamW({ learningRate: 0.1, weightDecay: 0.5 });
  await run(() => optimizer.minimize(sum(multiply(used, 2)), [used, idle]), { device: cpu });
  t.deepEqual(await idle.data(), Float32Array.of(1));
  const [value = NaN] = await used.data();
  t.ok(Math.abs(value - (1 - 0.05 - 0.1)) < 1e-6, String(value));
  t.equal((await run(() => gradient(sum(multiply(used, 2)), [used]), { device: cpu })).length, 1);
});
