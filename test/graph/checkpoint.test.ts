import test from 'tape';
import { openNullDevice } from '../../bench/host/null-device.js';
import {
  Adam,
  add,
  argmax,
  cast,
  checkpoint,
  compile,
  Dense,
  type Device,
  Dropout,
  exp,
  Generator,
  gradient,
  matmul,
  mean,
  Module,
  multiply,
  OptionError,
  randomUniform,
  relu,
  reshape,
  run,
  Sequential,
  SGD,
  softmaxCrossEntropy,
  square,
  sum,
  tanh,
  type Tensor,
  tensor,
  Variable,
} from '../../lib/index.js';
import { cpu, simd, testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';
import { stepsOf } from '../support/fusing.js';

/** A residual block: two layers with dropout in between, and a running mean of what comes out. */
class Block extends Module {
  readonly wide: Dense;
  readonly dropout = new Dropout(0.3);
  readonly narrow: Dense;
  running: Variable | undefined;

  constructor(width: number) {
    super();
    this.wide = new Dense(2 * width);
    this.narrow = new Dense(width);
  }

  forward(input: Tensor): Tensor {
    const inner = this.narrow.forward(this.dropout.forward(relu(this.wide.forward(input))));
    this.running ??= this.buffer('running', Float32Array.of(0), []);
    if (this.training) this.running.assign(add(multiply(this.running.value, 0.9), multiply(mean(inner), 0.1)));
    return tanh(add(inner, input));
  }
}

class Deep extends Module {
  readonly isCheckpointed: boolean;
  readonly blocks: Block[];
  readonly head = new Dense(3);

  constructor(isCheckpointed: boolean, depth: number, width: number) {
    super();
    this.isCheckpointed = isCheckpointed;
    this.blocks = Array.from({ length: depth }, () => new Block(width));
  }

  forward(input: Tensor): Tensor {
    let x = input;
    for (const block of this.blocks) x = this.isCheckpointed ? checkpoint(() => block.forward(x)) : block.forward(x);
    return this.head.forward(x);
  }
}

const WIDTH = 24;
const ROWS = 40;

/** A training step of {@link Deep}, and its model. */
function training(device: Device, isCheckpointed: boolean, depth = 4) {
  const model = new Deep(isCheckpointed, depth, WIDTH).build([WIDTH], { seed: 3 });
  const optimizer = new Adam({ learningRate: 0.01 });
  const step = compile(
    (inputs, labels) => {
      const loss = softmaxCrossEntropy(model.forward(inputs), labels);
      optimizer.minimize(loss, model.parameters());
      return loss;
    },
    { device },
  );
  return { model, step };
}

const inputs = tensor(
  Float32Array.from({ length: ROWS * WIDTH }, (_, i) => Math.sin(i * i)),
  { shape: [ROWS, WIDTH] },
);
const labels = tensor(Int32Array.from({ length: ROWS }, (_, i) => i % 3));

testOnDevices('a training with checkpoints is the same, bit for bit', async (t, device) => {
  const [plain, checkpointed] = [training(device, false), training(device, true)];
  for (let i = 0; i < 4; i++) {
    const losses = await Promise.all(
      [plain, checkpointed].map(async ({ step }) => (await step(inputs, labels)).item()),
    );
    t.equal(losses[1], losses[0], `loss ${i}`);
  }
  for (const [name, variable] of plain.model.namedVariables()) {
    t.deepEqual(await checkpointed.model.namedVariables().get(name)?.data(), await variable.data(), name);
  }
});

for (const [name, open] of [
  ['simd', () => Promise.resolve(simd)],
  ['webgpu', openNullDevice],
] as const) {
  test(`with checkpoints a deep net takes less memory: ${name}`, async (t) => {
    const device = await open();
    const st = training(device, true, 3).step;
    await st(inputs, labels);
    const slots = (isCheckpointed: boolean, depth: number): number =>
      training(device, isCheckpointed, depth).step.memory(inputs, labels).slots;
    const block = ROWS * WIDTH * 4; // bytes of what goes from block to block
    const [plain, checkpointed] = [false, true].map((is) => (slots(is, 24) - slots(is, 16)) / 8 / block);
    t.ok((plain ?? 0) > 3, `a block more takes ${plain} times what comes out of it`);
    t.ok((checkpointed ?? 9) <= 1.01, `with checkpoints ${checkpointed} times`);
  });
}

test('what is computed again is not brought forward to where it could be computed, too', async (t) => {
  const device = await openNullDevice();
  const [x, weight] = ['x', 'weight'].map((name) => new Variable(name, new Float32Array(64), [8, 8]));
  if (!x || !weight) throw new Error('two variables');
  const step = compile(
    () => {
      const y = exp(x);
      const sums = checkpoint(() => square(square(sum(y, { axes: 0, keepDims: true }))));
      return gradient(add(sum(square(matmul(y, weight))), sum(sums)), [weight, x]);
    },
    { device },
  );
  const names = step.prepare().program.steps.map(({ operation }) => operation.name);
  // The product for the gradient of the weight, which comes first, could compute the sums of y's columns beside itself.
  t.ok(names.includes('sum + square'), names.join(', '));
  t.notOk(
    names.some((name) => name.startsWith('matmul + sum')),
    names.join(', '),
  );
  device.dispose();
});

testOnDevices('state is changed once, and what reads a variable that was changed since is kept', async (t, device) => {
  const [count, offset] = ['count', 'offset'].map((name) => new Variable(name, Float32Array.of(2), []));
  if (!count || !offset) throw new Error('two variables');
  const step = compile(
    (x) => {
      const y = checkpoint(() => {
        const shifted = square(add(x, offset));
        count.assign(add(count, 1));
        return square(multiply(shifted, count));
      });
      offset.assign(multiply(offset, 10));
      return [sum(y), ...gradient(sum(y), [x])];
    },
    { device },
  );
  // y = ((x + 2)² · 3)², dy/dx = 36 (x + 2)³
  const [value, slope] = await step([1]);
  t.equal(await value?.item(), 729);
  t.deepEqual([...((await slope?.data()) ?? [])], [972]);
  t.deepEqual([...(await count.data()), ...(await offset.data())], [3, 20]);
});

testOnDevices('random numbers that are drawn in a checkpoint are drawn again as they were', async (t, device) => {
  const results = await Promise.all(
    [false, true].map(async (isCheckpointed) => {
      const generator = new Generator(5);
      const body = (x: Tensor): Tensor => {
        const noise = randomUniform([50], generator);
        const chosen = cast(argmax(reshape(multiply(x, noise), [10, 5]), { axis: 1 }), 'f32');
        return multiply(square(multiply(x, noise)), sum(chosen));
      };
      const step = compile(
        (x) => {
          const y = sum(isCheckpointed ? checkpoint(() => body(x)) : body(x));
          return [...gradient(y, [x]), randomUniform([3], generator)];
        },
        { device },
      );
      const x = Float32Array.from({ length: 50 }, (_, i) => Math.cos(i));
      const all: unknown[] = [];
      for (let i = 0; i < 2; i++) for (const each of await step(x)) all.push(await each.data());
      return all;
    }),
  );
  t.deepEqual(results[1], results[0]);
});

testOnDevices('a checkpoint gives whatever a function gives, in any nesting, traced or not', async (t, device) => {
  const x = tensor([0.5, -1, 2]);
  const slopeOf = async (fn: (x: Tensor) => Tensor): Promise<number[]> => {
    const [slope] = await run(() => gradient(sum(fn(x)), [x]), { device });
    return [...((await slope?.data()) ?? [])];
  };
  const cubed = (value: Tensor): Tensor => multiply(square(value), value);
  const expected = await slopeOf((value) => relu(cubed(cubed(value))));
  t.deepEqual(await slopeOf((value) => checkpoint(() => relu(cubed(cubed(value))))), expected, 'as a whole');
  t.deepEqual(
    await slopeOf((value) => checkpoint(() => relu(cubed(checkpoint(() => cubed(value)))))),
    expected,
    'nested',
  );
  t.deepEqual(
    await slopeOf((value) => {
      const { middle, same } = checkpoint(() => ({ middle: reshape(cubed(value), [3, 1]), same: value }));
      return add(relu(cubed(reshape(middle, [3]))), multiply(same, 0));
    }),
    expected,
    'several results, one through a reshape and one that is an input',
  );
  t.deepEqual(
    [...((await gradient(sum(checkpoint(() => relu(cubed(cubed(x))))), [x])[0]?.data()) ?? [])],
    expected,
    'outside of a traced function',
  );
  const second = (fn: (x: Tensor) => Tensor) => slopeOf((value) => gradient(sum(fn(value)), [value])[0] ?? value);
  const bend = (value: Tensor): Tensor => multiply(multiply(value, value), multiply(value, 3));
  t.deepEqual(await second((value) => checkpoint(() => bend(value))), await second(bend), 'derived twice');
  t.deepEqual(
    checkpoint(() => ({})),
    {},
  );
});

test('a checkpoint that fails leaves nothing behind', async (t) => {
  refuses(t, () => checkpoint(() => reshape(tensor([1, 2]), [3])), Error, '[3]');
  const step = compile((x) => gradient(sum(square(relu(x))), [x]), { device: cpu });
  await step([1]);
  t.deepEqual(stepsOf(step).filter((name) => name === 'relu').length, 1, 'nothing is computed twice');
  // @ts-expect-error: what JavaScript may give
  refuses(t, () => checkpoint(tensor(1)), OptionError, 'checkpoint', 'a function');
});

testOnDevices('parts of a Sequential in checkpoints train as without', async (t, device) => {
  const results = await Promise.all(
    [false, true].map(async (isCheckpointed) => {
      const [body, head] = [new Sequential([new Dense(8), new Dropout(0.5), new Dense(6)]), new Dense(2)];
      const model = new (class extends Module {
        body = body;
        head = head;
        forward(x: Tensor): Tensor {
          return head.forward(isCheckpointed ? checkpoint(() => body.forward(x)) : body.forward(x));
        }
      })().build([WIDTH]);
      const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
      const step = compile(
        () => {
          const loss = sum(square(model.forward(inputs)));
          optimizer.minimize(loss, model.parameters());
          return loss;
        },
        { device },
      );
      return (await step.repeat(3)).item();
    }),
  );
  t.equal(results[1], results[0]);
});
