import fc from 'fast-check';
import test from 'tape';
import {
  add,
  compile,
  type Device,
  Generator,
  matmul,
  multiply,
  OptionError,
  randomUniform,
  run,
  ShapeError,
  subtract,
  sum,
  type Tensor,
  tensor,
  TraceError,
  Variable,
} from '../lib/index.js';
import { activeTrace } from '../lib/graph/trace.js';
import { cpu, testOnDevices } from './support/devices.js';
import { refuses, rejects } from './support/errors.js';
import { openWebGpu } from './support/webgpu.js';

const values = async (result: Tensor): Promise<number[]> => Array.from(await result.data());

testOnDevices('a compiled function is traced once for each signature and replayed ever after', async (t, device) => {
  let traces = 0;
  const twice = compile(
    (x) => {
      traces++;
      return add(x, x);
    },
    { device },
  );
  t.deepEqual(await values(await twice([1, 2])), [2, 4]);
  t.deepEqual(await values(await twice([5, 6])), [10, 12], 'new values, the same plan');
  t.equal(traces, 1);
  t.deepEqual(await values(await twice([1, 2, 3])), [2, 4, 6], 'another shape');
  t.equal(traces, 2, 'is traced anew');
  t.deepEqual(await values(await twice([[1, 2]])), [2, 4]);
  t.equal(traces, 3, 'and so is another rank of as many elements');
  await twice([7, 8]);
  t.equal(traces, 3, 'earlier signatures keep their plans');
  t.equal(twice.plans().length, 3);
  twice.dispose();
  t.equal(twice.plans().length, 0);
  t.deepEqual(await values(await twice([1, 2])), [2, 4], 'after dispose() it is traced again');
  twice.dispose();
});

testOnDevices(
  'a compiled function takes tensors, variables, typed arrays, nested arrays and numbers',
  async (t, device) => {
    const f = compile((a, b, c, d, e) => [add(add(a, b), add(c, d)), multiply(e, 2)], { device });
    const variable = new Variable('v', Float32Array.of(10, 20));
    const [total, doubled] = await f(tensor([1, 2]), variable, Float32Array.of(100, 200), [1000, 2000], 3);
    t.deepEqual(total && (await values(total)), [1111, 2222]);
    t.deepEqual(doubled && (await values(doubled)), [6]);
    t.deepEqual(Array.from(await variable.data()), [10, 20], 'the variable is not changed');
  },
);

testOnDevices('a compiled function gives back the structure that it was written with', async (t, device) => {
  const byName = await compile((x) => ({ twice: add(x, x), same: x }), { device })([3]);
  t.deepEqual(Object.keys(byName), ['twice', 'same']);
  t.deepEqual([await values(byName.twice), await values(byName.same)], [[6], [3]]);
  await compile(() => undefined, { device })();
  t.deepEqual(await compile(() => [], { device })(), []);
});

testOnDevices('overlapping calls that nobody waited for give each its own result', async (t, device) => {
  const square = compile((x) => multiply(x, x), { device });
  const results = await Promise.all([1, 2, 3, 4, 5].map(async (x) => (await square(x)).item()));
  t.deepEqual(results, [1, 4, 9, 16, 25]);
  t.equal(square.plans().length, 1);
});

testOnDevices('a result is refused after a later call, with advice', async (t, device) => {
  const f = compile((x) => add(x, 1), { device });
  const first = await f(1);
  const read = await f(2);
  t.equal(await read.item(), 3);
  await rejects(t, first.data(), TraceError, 'overwritten by a later call', 'await result.data()');
  await f(5);
  t.equal(await read.item(), 3, 'what was read once stays');
  const third = await f(6);
  f.dispose();
  await rejects(t, third.data(), TraceError);
});

testOnDevices('a result of one compiled function is the input of another without a detour', async (t, device) => {
  const f = compile((x) => add(x, 1), { device });
  const g = compile((x) => multiply(x, 10), { device });
  const middle = await f([1, 2]);
  t.deepEqual(await values(await g(middle)), [20, 30]);
  await f([3, 4]);
  await rejects(t, g(middle), TraceError, 'overwritten');
});

test('a result moves between devices as an input', async (t) => {
  const gpu = await openWebGpu();
  const onGpu = compile((x) => add(x, 1), { device: gpu });
  const onCpu = compile((x) => multiply(x, 2), { device: cpu });
  t.deepEqual(await values(await onCpu(await onGpu([1, 2]))), [4, 6]);
  t.deepEqual(await values(await onGpu(await onCpu([1, 2]))), [3, 5]);
  gpu.dispose();
});

test('reading a value while tracing throws at once, with advice', async (t) => {
  const advice = 'return the tensor and read it from the result';
  const state = new Variable('state', Float32Array.of(1));
  const reads: ((x: Tensor) => unknown)[] = [
    (x) => x.data(),
    (x) => x.item(),
    (x) => x.array(),
    (x) => sum(x).item(),
    () => state.data(),
  ];
  for (const read of reads) {
    const f = compile((x) => {
      void read(x);
      return x;
    });
    await rejects(t, f(1), TraceError, advice);
  }
  t.equal(activeTrace(), undefined, 'no trace is left open');
});

test('an async function is refused', async (t) => {
  // @ts-expect-error a promise is no tree of tensors
  await rejects(t, compile(async (x) => Promise.resolve(x))(1), TraceError, 'must not be async');
  // @ts-expect-error a promise is no tree of tensors
  await rejects(t, compile(async (x) => ((await x.item()) > 0 ? x : 0))(1), TraceError, 'must not be async');
  t.equal(activeTrace(), undefined);
});

test('a result that is no tensor is refused', async (t) => {
  // @ts-expect-error a number is no tree of tensors
  await rejects(t, compile(() => 3)(), TraceError, 'must return a tensor');
  // @ts-expect-error numbers are no tree of tensors
  await rejects(t, compile(() => [3])(), TraceError, 'must return a tensor');
  // @ts-expect-error null is no tree of tensors
  await rejects(t, compile(() => null)(), TraceError, 'must return a tensor');
});

test('what the traced function throws rejects the call, and the next call traces again', async (t) => {
  let broken = true;
  const f = compile((x) => (broken ? matmul(x, x) : x));
  await rejects(t, f([[1, 2]]), ShapeError, '[1, 2]');
  broken = false;
  t.deepEqual(await values(await f([[1, 2]])), [1, 2]);
});

test('a compiled function called inside a traced one is refused at once', async (t) => {
  const inner = compile((x) => add(x, 1));
  const outer = compile((x) => {
    void inner(x);
    return x;
  });
  await rejects(t, outer(1), TraceError, 'inside a traced function');
  await rejects(
    t,
    run(() => {
      void inner(2);
    }),
    TraceError,
    'inside a traced function',
  );
  t.equal(await (await inner(1)).item(), 2, 'outside it works');
});

test('an input of a traced function that is read after it is refused', async (t) => {
  const kept: Tensor[] = [];
  const f = compile((x) => {
    kept.push(x, add(x, 1));
    return x;
  });
  await f(1);
  for (const leaked of kept) {
    await rejects(t, leaked.data(), TraceError, 'outside of the traced function');
    await rejects(
      t,
      run(() => add(leaked, 1)),
      TraceError,
      'outside of the traced function',
    );
    await rejects(t, compile(() => add(leaked, 1))(), TraceError, 'outside of the traced function');
    await rejects(t, f(leaked), TraceError, 'outside of the traced function');
  }
});

test('reading a leaked state change does not carry it out again', async (t) => {
  const counter = new Variable('counter', Float32Array.of(0));
  const kept: Tensor[] = [];
  const f = compile(() => {
    counter.assign(add(counter, 1));
    kept.push(counter.value);
  });
  await f();
  for (const leaked of kept) await rejects(t, leaked.data(), TraceError, 'changes state');
  t.deepEqual(Array.from(await counter.data()), [1]);
});

testOnDevices('state changes happen once a call, in place and in order', async (t, device) => {
  const total = new Variable('total', Float32Array.of(0, 0));
  const step = compile(
    (x) => {
      total.assign(add(total, x));
      const once = total.value;
      total.assign(multiply(total, 10));
      return { sum: sum(total), read: add(total, 0), once: subtract(once, 0) };
    },
    { device },
  );
  await rejects(t, step([1, 2]), TraceError, 'subtract reads a variable', 'assign changed it');
  const good = compile(
    (x) => {
      total.assign(add(total, x));
      total.assign(multiply(total, 10));
      return total.value;
    },
    { device },
  );
  t.deepEqual(await values(await good([1, 2])), [10, 20]);
  t.deepEqual(await values(await good([1, 2])), [110, 220]);
  t.deepEqual(Array.from(await total.data()), [110, 220]);
  total.set(Float32Array.of(0, 1));
  t.deepEqual(await values(await good([1, 2])), [10, 30], 'a value set from the host is seen');
});

testOnDevices('a state change without any result is carried out', async (t, device) => {
  const counter = new Variable('counter', Float32Array.of(0));
  const step = compile(() => counter.assign(add(counter, 1)), { device });
  for (let i = 0; i < 3; i++) await step();
  t.deepEqual(Array.from(await counter.data()), [3]);
});

testOnDevices('replays that nobody waited for change state one after the other', async (t, device) => {
  const history = new Variable('history', Float32Array.of(0));
  const push = compile((digit) => history.assign(add(multiply(history, 10), digit)), { device });
  await Promise.all([1, 2, 3, 4].map((digit) => push(digit)));
  t.deepEqual(Array.from(await history.data()), [1234]);
});

testOnDevices('a function is traced again where a guard no longer holds', async (t, device) => {
  let training = true;
  let traces = 0;
  const f = compile(
    (x) => {
      traces++;
      return activeTrace()?.guard(() => training) ? multiply(x, 2) : x;
    },
    { device },
  );
  t.equal(await (await f(3)).item(), 6);
  t.equal(await (await f(4)).item(), 8);
  training = false;
  t.equal(await (await f(5)).item(), 5);
  t.equal(traces, 2);
  t.equal(f.plans().length, 1, 'the outdated plan is dropped');
});

testOnDevices('host work ahead of a replay is done before every replay, the first one included', async (t, device) => {
  const rate = new Variable('rate', Float32Array.of(0));
  let step = 0;
  const refresh = () => rate.set(Float32Array.of(++step / 2));
  const f = compile(
    (x) => {
      activeTrace()?.beforeReplay(refresh);
      activeTrace()?.beforeReplay(refresh);
      return multiply(x, rate);
    },
    { device },
  );
  const results: number[] = [];
  for (let i = 0; i < 3; i++) results.push(await (await f(10)).item());
  t.deepEqual(results, [5, 10, 15]);
});

test('the same compiled function gives the same results on every device, for many shapes', async (t) => {
  const gpu = await openWebGpu();
  const make = (device: Device) => compile((x, y) => sum(multiply(add(x, y), 2), { axes: 0 }), { device });
  const [onCpu, onGpu] = [make(cpu), make(gpu)];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), async (rows, columns) => {
      // Small integers: every sum is exact in float32.
      const x = tensor(
        Float32Array.from({ length: rows * columns }, (_, i) => i - 7),
        { shape: [rows, columns] },
      );
      const y = tensor(Float32Array.from({ length: columns }, (_, i) => 3 * i));
      return String(await values(await onCpu(x, y))) === String(await values(await onGpu(x, y)));
    }),
    { numRuns: 20, seed: 1 },
  );
  t.equal(onCpu.plans().length, onGpu.plans().length);
  gpu.dispose();
});

test('what changes state outside of a traced function is refused, naming it', (t) => {
  const v = new Variable('v', Float32Array.of(1));
  const generator = new Generator(1);
  refuses(t, () => v.assign(2), TraceError, 'assign to v', 'compile()');
  refuses(t, () => randomUniform([2], generator), TraceError, 'drawing random numbers', 'compile()');
  t.end();
});

test('a plan says what it does, with names of variables and bytes', async (t) => {
  const weight = new Variable('weight', Float32Array.of(1, 2), [2, 1]);
  const product = compile((x) => matmul(x, weight), { device: cpu });
  await product(tensor([[3, 4]]));
  const [plan] = product.plans();
  t.deepEqual(plan?.describe().split('\n'), [
    '1  matmul  input 0 [1, 2], weight → slot 0 [1, 1]',
    'steps: 1, for 1 operations; dispatches: 1',
    'bytes: 64 in slots (1), 64 of inputs (1), 0 of constants (0), 0 of scratch, 0 of arguments, ' +
      '64 of variables (1), which outlive the plan',
    'peak memory: 128 bytes, 192 with variables',
  ]);
  t.end();
});

testOnDevices('16-bit floats take two bytes on a GPU, and a plan says so', async (t, device) => {
  const weight = new Variable('weight', tensor(new Float32Array(32), { shape: [32, 1], dtype: 'f16' }));
  const product = compile((x) => matmul(x, weight), { device });
  await product(tensor(new Float32Array(32), { shape: [1, 32] }));
  const described = product.plans()[0]?.describe() ?? '';
  t.ok(described.includes(`${device.info.kind === 'webgpu' ? 64 : 128} of variables (1)`), described);
});

testOnDevices('repeat() replays so many times, with the results of the last', async (t, device) => {
  const counter = new Variable('counter', Float32Array.of(0));
  const step = compile(
    (x) => {
      counter.assign(add(counter, x));
      return multiply(counter.value, 10);
    },
    { device },
  );
  t.equal(await (await step.repeat(5, [2])).item(), 100);
  t.equal(await (await step.repeat(1, [1])).item(), 110);
  t.equal(step.plans().length, 1);
  const last = await step.repeat(1000, [1]);
  await step(0);
  t.equal((await counter.data())[0], 1011);
  await rejects(t, last.item(), TraceError, 'overwritten');
});

testOnDevices('calls and repetitions that nobody waited for come in their order', async (t, device) => {
  const history = new Variable('history', Float32Array.of(0));
  const push = compile((digit) => history.assign(add(multiply(history, 10), digit)), { device });
  await Promise.all([push(1), push.repeat(2, [2]), push(3), push.repeat(1, [4])]);
  t.deepEqual(Array.from(await history.data()), [12234]);
});

testOnDevices('an aborted signal ends a repetition between two submits', async (t, device) => {
  const counter = new Variable('counter', Float32Array.of(0));
  const step = compile(() => counter.assign(add(counter, 1)), { device });
  await step.repeat(10, [], { signal: AbortSignal.abort() });
  t.equal((await counter.data())[0], 0, 'before the first');
  const controller = new AbortController();
  const endless = step.repeat(1e9, [], { signal: controller.signal });
  setTimeout(() => {
    controller.abort();
  }, 20);
  await endless;
  const { 0: count = 0 } = await counter.data();
  t.ok(count > 0 && count < 1e9, `${count} replays`);
  await step.repeat(2);
  t.equal((await counter.data())[0], count + 2, 'it goes on afterwards');
});

test('repeat() refuses what is no number of replays, and a call inside a traced function', async (t) => {
  const step = compile((x) => add(x, 1), { device: cpu });
  for (const replays of [0, -1, 1.5, NaN, Infinity]) {
    refuses(t, () => step.repeat(replays, [1]), OptionError, String(replays));
  }
  const outer = compile((x) => {
    void step.repeat(2, [x]);
    return x;
  });
  await rejects(t, outer(1), TraceError, 'inside a traced function');
  t.equal(await (await step.repeat(2, [1])).item(), 2, 'the control');
});

testOnDevices('what goes wrong in a call that has nothing to wait for rejects it', async (t, device) => {
  const f = compile((x) => add(x, 1), { device });
  const stale = await f(1);
  await f(2);
  let failure: Promise<unknown> | undefined;
  t.doesNotThrow(() => {
    failure = f(stale);
  }, 'it does not throw');
  await rejects(t, failure ?? Promise.resolve(), TraceError, 'overwritten');
  let isBroken = false;
  const g = compile(
    (x) => {
      activeTrace()?.beforeReplay(() => {
        if (isBroken) throw new OptionError('host work failed');
      });
      return x;
    },
    { device },
  );
  await g(1);
  isBroken = true;
  await rejects(t, g(2), OptionError, 'host work failed');
  await rejects(t, g.repeat(2, [2]), OptionError, 'host work failed');
  isBroken = false;
  t.equal(await (await g(3)).item(), 3, 'the next call is served');
});

test('compile, repeat and run refuse options that they do not have, and what is no function or device', async (t) => {
  const f = (x: Tensor) => add(x, 1);
  // @ts-expect-error no such option
  refuses(t, () => compile(f, { devise: cpu }), OptionError, "unknown option 'devise'", "did you mean 'device'?");
  // @ts-expect-error a promise of a device
  refuses(t, () => compile(f, { device: Promise.resolve(cpu) }), OptionError, 'device must be a device', 'a Promise');
  // @ts-expect-error no function
  refuses(t, () => compile(tensor(1)), OptionError, 'the function must be a function', 'a Tensor');
  // @ts-expect-error no such option
  refuses(t, () => compile(f).repeat(1, [1], { signals: null }), OptionError, "did you mean 'signal'?");
  // @ts-expect-error a controller
  refuses(t, () => compile(f).repeat(1, [1], { signal: new AbortController() }), OptionError, 'an AbortSignal');
  // @ts-expect-error no such option
  await rejects(t, run(() => tensor(1), { devices: cpu }), OptionError, "did you mean 'device'?"); // prettier-ignore
  // @ts-expect-error no function
  await rejects(t, run(tensor(1)), OptionError, 'the function must be a function');
});
