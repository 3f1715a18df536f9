import test from 'tape';
import {
  compile,
  gradient,
  multiply,
  Optimizer,
  OptionError,
  Parameter,
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
  t.equal(optimizer.step, 0);
  await attempt(() => optimizer.apply([a], [tensor([2, 0])]));
  t.deepEqual(await a.data(), Float32Array.of(0, 2), 'the control');
});

testOnDevices('an optimizer of your own needs names for its state and an update', async (t, device) => {
  /** p ← rate · gradient: enough to see that the base class hands on what it should. */
  class Constant extends Optimizer {
    constructor() {
      super((step) => 0.5 / (1 + step));
    }

    override namedVariables(): Map<string, Variable> {
      return new Map();
    }

    protected override update(parameter: Parameter, own: Tensor, learningRate: Tensor): void {
      parameter.assign(multiply(own, learningRate));
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
