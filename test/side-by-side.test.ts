import test from 'tape';
import type { WebGpuDevice } from '../lib/device/webgpu/device.js';
import {
  add,
  compile,
  concat,
  Dense,
  type Device,
  DeviceLostError,
  Dropout,
  fit,
  fromArrays,
  loadState,
  type Module,
  multiply,
  predict,
  ReLU,
  run,
  Sequential,
  SGD,
  stateOf,
  tensor,
  TraceError,
  Variable,
} from '../lib/index.js';
import { cpu, simd } from './support/devices.js';
import { rejects } from './support/errors.js';
import { openWebGpu } from './support/webgpu.js';

/** Counters that count together in steps of 1, and a look at them: all hold the same number between two steps. */
function counters() {
  const all = ['a', 'b', 'c'].map((name) => new Variable(name, Float32Array.of(0)));
  const step = () => {
    for (const counter of all) counter.assign(add(counter, 1));
  };
  const look = () => concat(all.map(({ value }) => value));
  return { all, step, look };
}

/** Calls `look` until `work` is over; the values that it saw. */
async function lookDuring(work: Promise<unknown>, look: () => Promise<ArrayLike<number>>): Promise<number[][]> {
  const seen: number[][] = [];
  const progress = { isOver: false };
  const over = (): void => {
    progress.isOver = true;
  };
  work.then(over, over);
  while (!progress.isOver) {
    seen.push(Array.from(await look()));
    await new Promise((resume) => setTimeout(resume));
  }
  await work;
  return seen;
}

const isOneStep = ([first, ...others]: readonly number[]): boolean => others.every((value) => value === first);

/** Each pair of devices that may share variables: where the steps run, and where somebody looks. */
const PAIRS: readonly [name: string, open: () => Promise<{ steps: Device; looks: Device; gpu?: WebGpuDevice }>][] = [
  ['webgpu and cpu', async () => openPair((gpu) => ({ steps: gpu, looks: cpu }))],
  ['cpu and webgpu', async () => openPair((gpu) => ({ steps: simd, looks: gpu }))],
  ['two CPU devices', () => Promise.resolve({ steps: simd, looks: cpu })],
];

async function openPair(assign: (gpu: WebGpuDevice) => { steps: Device; looks: Device }) {
  const gpu = await openWebGpu();
  return { ...assign(gpu), gpu };
}

for (const [name, open] of PAIRS) {
  test(`3,000 steps are 3,000 while another device looks on, and it sees one step at a time: ${name}`, async (t) => {
    const { steps, looks, gpu } = await open();
    const { all, step, look } = counters();
    const steady = compile(step, { device: steps }).repeat(3000);
    const compiled = compile(look, { device: looks });
    const seen = await lookDuring(steady, async () => {
      const [values, snapshot] = await Promise.all([
        compiled().then((value) => value.data()),
        Promise.all(all.map((counter) => counter.data())),
        run(look, { device: looks }),
      ]);
      t.ok(isOneStep(snapshot.map(([value = NaN]) => value)), 'data() side by side is a snapshot');
      return values;
    });
    t.deepEqual(Array.from(await (await compiled()).data()), [3000, 3000, 3000]);
    t.ok(seen.every(isOneStep), `${seen.length} looks`);
    gpu?.dispose();
  });

  test(`two devices change the same variables in turns, and no step is lost: ${name}`, async (t) => {
    const { steps, looks, gpu } = await open();
    const { all, step } = counters();
    const other = () => {
      for (const counter of all) counter.assign(add(counter, 1000));
    };
    const [here, there] = [compile(step, { device: steps }), compile(other, { device: looks })];
    await Promise.all([here.repeat(50), there.repeat(50), run(step, { device: looks }), here(), there()]);
    await Promise.all([here(), there(), here(), there(), run(other, { device: steps })]);
    const values = await Promise.all(all.map((counter) => counter.data()));
    t.deepEqual(
      values.map((value) => Array.from(value)),
      [[54_054], [54_054], [54_054]],
    );
    gpu?.dispose();
  });

  test(`what is set or taken while a variable is fetched is not lost: ${name}`, async (t) => {
    const { steps, looks, gpu } = await open();
    const { all, step } = counters();
    const [here, there] = [compile(step, { device: steps }), compile(step, { device: looks })];
    await here();
    await there();
    const found = new Set<string>();
    for (let moment = 0; moment < 24; moment++) {
      for (const counter of all) counter.set(Float32Array.of(50));
      await here();
      const late = there();
      for (let turn = 0; turn < moment; turn++) await (moment < 20 ? Promise.resolve() : new Promise(setImmediate));
      for (const counter of all) counter.set(Float32Array.of(100));
      await late;
      const values = await Promise.all(all.map((counter) => counter.take()));
      found.add(values.map(([value]) => value).join());
    }
    // The step came ahead of it or behind it.
    t.deepEqual(
      [...found].filter((values) => !['100,100,100', '101,101,101'].includes(values)),
      [],
    );
    t.deepEqual(await all[0]?.data(), Float32Array.of(0));
    gpu?.dispose();
  });

  test(`whoever changes what is in use elsewhere gets his turn: ${name}`, async (t) => {
    const { steps, looks, gpu } = await open();
    const { all, step } = counters();
    const end = new AbortController();
    const [here, there] = [compile(step, { device: steps }), compile(step, { device: looks })];
    const endless = here.repeat(1e9, [], { signal: end.signal });
    await new Promise((resume) => setTimeout(resume, 300)); // until its submits are long
    for (let i = 0; i < 5; i++) await there();
    await run(step, { device: looks });
    end.abort();
    await endless;
    t.deepEqual((await Promise.all(all.map((counter) => counter.data()))).length, 3);
    gpu?.dispose();
  });

  test(`what is disposed of while it is fetched rejects, and so does what uses it later: ${name}`, async (t) => {
    const { steps, looks, gpu } = await open();
    const { all, step, look } = counters();
    const here = compile(step, { device: steps });
    await here();
    const training = here.repeat(1e6);
    const looking = compile(look, { device: looks })();
    all[0]?.dispose();
    await rejects(t, training, TraceError, 'variable a is used after dispose()');
    await rejects(t, looking, TraceError, 'variable a is used after dispose()');
    await rejects(t, here(), TraceError, 'variable a is used after dispose()');
    t.deepEqual(Array.from((await all[1]?.data()) ?? []).length, 1);
    gpu?.dispose();
  });
}

test('predictions on another device do not disturb a training, and the state is that of one step', async (t) => {
  const gpu = await openWebGpu();
  const data = fromArrays([[0.1], [0.7], [0.3]], [0, 1, 0]);
  const train = async (onStep: (model: Module, training: Promise<unknown>) => Promise<void>) => {
    const model = new Sequential({ fc: new Dense(4), drop: new Dropout(0.5), out: new Dense(2) });
    model.build([1], { seed: 5 });
    const optimizer = new SGD({ learningRate: 0.05, momentum: 0.9 });
    const training = fit(model, data, { epochs: 60, batchSize: 1, optimizer, device: gpu, seed: 1 });
    await onStep(model, training);
    await training;
    return stateOf(model);
  };
  const alone = await train(() => Promise.resolve());
  const watched = await train(async (model, training) => {
    const seen = await lookDuring(training, async () => {
      const [first, second] = await Promise.all([predict(model, tensor([[0.5], [0.5]])), stateOf(model)]);
      const [a, b, c, d] = await first.data();
      t.deepEqual([a, b], [c, d], 'the rows of a batch are computed with the same weights');
      t.equal(second.size, 4);
      return [];
    });
    t.ok(seen.length > 0);
  });
  t.deepEqual([...watched], [...alone], 'bit for bit');
  gpu.dispose();
});

test('what a device had is lost with it; what is set anew goes on, on any device', async (t) => {
  for (const lose of [(gpu: WebGpuDevice) => gpu.gpu.destroy(), (gpu: WebGpuDevice) => gpu.dispose()]) {
    const [lost, next] = [await openWebGpu(), await openWebGpu()];
    const model = new Sequential({ fc: new Dense(4), relu: new ReLU(), drop: new Dropout(0.5), out: new Dense(2) });
    const data = fromArrays([[0.1], [0.7], [0.3]], [0, 1, 0]);
    const options = { epochs: 2, batchSize: 2, seed: 1 };
    await fit(model, data, { ...options, optimizer: new SGD({ learningRate: 0.05 }), device: lost });
    const saved = await stateOf(model);
    const expected = await (await predict(model, tensor([[0.5]]), { device: lost })).data();
    lose(lost);
    await lost.gpu.lost;
    await rejects(t, stateOf(model), DeviceLostError, 'fc.weight', 'was lost');
    await rejects(t, predict(model, tensor([[0.5]])), DeviceLostError, 'was lost', 'set them anew');
    const again = { ...options, optimizer: new SGD({ learningRate: 0.05 }) };
    await rejects(t, fit(model, data, { ...again, device: lost }), DeviceLostError);
    await rejects(t, fit(model, data, { ...again, device: next }), DeviceLostError, 'was lost');

    loadState(model, { tensors: saved });
    t.deepEqual(await stateOf(model), saved);
    for (const device of [cpu, next, simd]) {
      const found = await (await predict(model, tensor([[0.5]]), { device })).data();
      t.ok(found.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) < 1e-5));
    }
    await rejects(t, predict(model, tensor([[0.5]]), { device: lost }), DeviceLostError);
    for (const device of [next, cpu, next]) {
      const optimizer = new SGD({ learningRate: 0.05 });
      t.equal((await fit(model, data, { ...options, optimizer, device })).loss.length, 2, 'dropout goes on as well');
    }
    next.dispose();
  }
});

test('a value that another device has as well is not lost', async (t) => {
  const lost = await openWebGpu();
  const v = new Variable('v', Float32Array.of(1));
  await run(() => v.assign(add(v, 1)), { device: lost });
  t.equal(await (await run(() => multiply(v, 10), { device: cpu })).item(), 20);
  lost.dispose();
  t.deepEqual(await v.data(), Float32Array.of(2));
  await run(() => v.assign(add(v, 1)), { device: cpu });
  t.deepEqual(await v.data(), Float32Array.of(3));
});

test('a variable is set, taken and read on the device where it was changed last', async (t) => {
  const gpu = await openWebGpu();
  const v = new Variable('v', Float32Array.of(1, 2));
  const next = () => v.assign(add(v, 1));
  await run(next, { device: cpu });
  await run(next, { device: gpu });
  t.deepEqual(await v.take(), Float32Array.of(3, 4));
  await run(next, { device: cpu });
  t.deepEqual(await v.data(), Float32Array.of(1, 1), 'take() leaves zeros everywhere');
  v.set(Float32Array.of(5, 6));
  await run(next, { device: gpu });
  await run(next, { device: cpu });
  t.deepEqual(await v.data(), Float32Array.of(7, 8));
  t.deepEqual(await v.value.data(), Float32Array.of(7, 8));
  t.deepEqual(await add(v, 1).data(), Float32Array.of(8, 9));
  t.deepEqual(await (await compile((x) => add(x, 1), { device: gpu })(v)).data(), Float32Array.of(8, 9), 'as an input');
  gpu.dispose();
});

test('a training goes on, and timers have their turn, while one result after the other is awaited beside it', async (t) => {
  for (const device of [simd, cpu]) {
    const model = new Sequential([new Dense(3)]).build([2]);
    const data = fromArrays([[1, 2], [3, 4], [5, 6], [7, 8]], [0, 1, 2, 0]); // prettier-ignore
    const progress = { isOver: false };
    const over = (): void => {
      progress.isOver = true;
    };
    const optimizer = new SGD({ learningRate: 0.01 });
    const training = fit(model, data, { epochs: 300, batchSize: 1, optimizer, device, onEpochEnd: () => undefined });
    training.then(over, over);
    const start = performance.now();
    while (!progress.isOver && performance.now() - start < 20_000) await predict(model, tensor([[1, 2]]), { device });
    t.ok(progress.isOver, device.info.description);
    t.equal((await training).loss.length, 300);
  }
});
