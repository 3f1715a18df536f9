import test from 'tape';
import {
  accuracy,
  Adam,
  compile,
  type Device,
  dropout,
  gather,
  Generator as RandomNumbers,
  linear,
  Meter,
  multiply,
  Parameter,
  SGD,
  sigmoid,
  softmaxCrossEntropy,
  tanh,
  type Tensor,
  tensor,
  Variable,
} from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { differs } from '../../support/close.js';
import { cpu } from '../../support/devices.js';
import { fusedBindings, fusingCpu, stepsOf } from '../../support/fusing.js';
import { webgpu } from '../../support/webgpu.js';

const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };
const ALL = 'gather + softmaxCrossEntropyLoss + accuracy + meterUpdate + meterUpdate';

type Call = 'accuracy' | 'loss' | 'minimize' | 'lossMeter' | 'hitsMeter';

/** All orders of the calls in which each comes after what it needs. */
function* ordersOf(done: readonly Call[] = []): Generator<readonly Call[]> {
  const needs: Record<Call, readonly Call[]> = {
    accuracy: [],
    loss: [],
    minimize: ['loss'],
    lossMeter: ['loss'],
    hitsMeter: ['accuracy'],
  };
  const calls: readonly Call[] = ['accuracy', 'loss', 'minimize', 'lossMeter', 'hitsMeter'];
  if (done.length === calls.length) yield done;
  for (const call of calls) {
    if (!done.includes(call) && needs[call].every((need) => done.includes(need))) yield* ordersOf([...done, call]);
  }
}

interface Setting {
  readonly order: readonly Call[];
  readonly rows: Int32Array;
  readonly classes?: number;
}

/** Three steps of a layer with loss, accuracy and two meters, called in some order. */
async function train(device: Device, { order, rows, classes = 3 }: Setting) {
  const random = new RandomStream(8, 'loss');
  const inputs = tensor(random.normal(rows.length * 5), { shape: [rows.length, 5] });
  const weight = new Parameter('weight', random.normal(5 * classes), [classes, 5]);
  const labels = new Variable(
    'labels',
    Int32Array.from({ length: 13 }, (_, i) => i % classes),
  );
  const [losses, hits] = [new Meter(), new Meter()];
  const optimizer = new SGD({ learningRate: 0.1 });
  const step = compile(
    (given) => {
      const logits = linear(inputs, weight);
      const target = gather(labels, given);
      let [loss, share] = [tensor(0), tensor(0)];
      const calls: Record<Call, () => void> = {
        accuracy: () => (share = accuracy(logits, target)),
        loss: () => (loss = softmaxCrossEntropy(logits, target)),
        minimize: () => optimizer.minimize(loss, [weight]),
        lossMeter: () => {
          losses.update(loss, rows.length);
        },
        hitsMeter: () => {
          hits.update(share, 2);
        },
      };
      for (const call of order) calls[call]();
    },
    { device },
  );
  for (let i = 0; i < 3; i++) await step(rows);
  const [first, second] = [await losses.read(), await hits.read()];
  return {
    numbers: Float64Array.of(first.mean, first.updates, first.firstNonFinite ?? -1, second.mean, second.updates),
    weight: await weight.data(),
    steps: stepsOf(step),
    bindings: fusedBindings(step),
  };
}

async function compare(t: test.Test, device: Device, setting: Setting) {
  const expected = await train(cpu, setting);
  const got = await train(device, setting);
  const what = `${setting.order.join()}, ${setting.rows.length} rows, ${device.info.kind}`;
  t.equal(differs(got.numbers, expected.numbers, TOLERANCE), undefined, `meters: ${what}`);
  t.equal(differs(got.weight, expected.weight, TOLERANCE), undefined, `weight: ${what}`);
  return got;
}

const rowsOf = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => (5 * i) % 13);

test('loss, accuracy and meters are one step, in whatever order they were called', async (t) => {
  const orders = [...ordersOf()];
  t.ok(orders.length > 10, `${orders.length} orders`);
  for (const order of orders) {
    const { steps } = await compare(t, fusingCpu(), { order, rows: rowsOf(7) });
    t.ok(steps.includes(ALL), steps.join('; '));
  }
});

test('the one step gives the same on webgpu, for many sizes', async (t) => {
  const orders = [...ordersOf()];
  for (const [i, [count, classes]] of [
    [1, 1] as const,
    [7, 3] as const,
    [65, 2] as const,
    [32, 10] as const,
  ].entries()) {
    const order = orders[(7 * i) % orders.length] ?? [];
    const { steps } = await compare(t, await webgpu(), { order, rows: rowsOf(count), classes });
    t.ok(steps.includes(ALL), steps.join('; '));
  }
});

test('labels of rows that there are not make the loss NaN, and the meter says when', async (t) => {
  const [order = []] = [...ordersOf()];
  for (const missing of [-1, 13]) {
    const rows = rowsOf(5);
    rows[3] = missing;
    for (const device of [fusingCpu(), await webgpu()]) {
      const { numbers, steps } = await compare(t, device, { order, rows });
      t.ok(Number.isNaN(numbers[0]) && numbers[2] === 0, 'the first loss already');
      t.ok(steps.includes(ALL));
    }
  }
});

test('a fused loss binds no more buffers than the target can', async (t) => {
  const [order = []] = [...ordersOf()];
  for (const maxStorageBuffers of [3, 4, 5]) {
    const { bindings, steps } = await compare(t, fusingCpu(maxStorageBuffers), { order, rows: rowsOf(7) });
    t.ok(
      bindings.every((count) => count <= maxStorageBuffers),
      `${maxStorageBuffers}: ${bindings.join()}, ${steps.join('; ')}`,
    );
    t.notOk(steps.includes(ALL));
  }
});

test('what belongs to other logits or to other labels stays on its own', async (t) => {
  const logits = tensor([[1, 2], [4, 3]]); // prettier-ignore
  const [losses, hits] = [new Meter(), new Meter()];
  const step = compile(
    (labels) => {
      const shifted = linear(
        logits,
        tensor([
          [0, 1],
          [1, 0],
        ]),
      ); // the other way round
      const loss = softmaxCrossEntropy(shifted, labels);
      losses.update(loss);
      losses.update(loss); // a second time in one step
      hits.update(accuracy(logits, labels));
    },
    { device: fusingCpu() },
  );
  await step(Int32Array.of(1, 0));
  t.equal((await hits.read()).mean, 1);
  const { mean, updates } = await losses.read();
  // Both rows have their class behind by 1: log(1 + e).
  t.ok(Math.abs(mean - Math.log(1 + Math.E)) < 1e-6, `${mean}`);
  t.equal(updates, 2);
  t.notOk(stepsOf(step).some((name) => name.includes('accuracy +') || name.includes('+ accuracy')));
});

test('a loss takes stages of every kind in: functions of a number, of Elements, updates', async (t) => {
  const logits = tensor(new RandomStream(9, 'logits').normal(12), { shape: [4, 3] });
  const classes = tensor(Int32Array.of(0, 2, 1, 1));
  const stages: Readonly<Record<string, (loss: Tensor) => Tensor>> = {
    tanh: (loss) => tanh(loss),
    multiply: (loss) => multiply(loss, 3),
    dropout: (loss) => dropout(loss, { probability: 0.5, generator }),
    'dropout of a function': (loss) => dropout(sigmoid(loss), { probability: 0.5, generator }),
    adamUpdate: (loss) => {
      new Adam({ learningRate: 0.1 }).apply([scalar], [loss]);
      return scalar.value;
    },
  };
  const [generator, scalar] = [new RandomNumbers(1), new Parameter('scalar', Float32Array.of(2), [])];
  for (const [name, stage] of Object.entries(stages)) {
    const outcomes: number[] = [];
    for (const device of [cpu, await webgpu()]) {
      scalar.set(Float32Array.of(2));
      generator.state.set(Uint32Array.of(1, 0, 0, 0));
      const step = compile(() => ({ value: stage(softmaxCrossEntropy(logits, classes)) }), { device });
      outcomes.push(await (await step()).value.item());
      if (device !== cpu) t.equal(stepsOf(step).filter((own) => own.includes('+')).length, 1, `${name} is fused`);
    }
    const [expected = NaN, got = NaN] = outcomes;
    t.ok(Math.abs(got - expected) <= 1e-5, `${name}: ${got} is ${expected}`);
  }
});
