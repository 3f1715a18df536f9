import test from 'tape';
import {
  compile,
  Dropout,
  Flatten,
  Module,
  OptionError,
  ReLU,
  ReLU6,
  run,
  Sequential,
  Sigmoid,
  Softmax,
  tensor,
  type Tensor,
  Tanh,
} from '../../lib/index.js';
import { differs } from '../support/close.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';
import { webgpu } from '../support/webgpu.js';

const X = [-2, -0.5, 0, 3, 7];
/** WGSL promises exp and tanh to an absolute error of about 1e-5. */
const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };

for (const [layer, f] of [
  [new ReLU(), (x: number) => Math.max(0, x)],
  [new ReLU6(), (x: number) => Math.min(6, Math.max(0, x))],
  [new Sigmoid(), (x: number) => 1 / (1 + Math.exp(-x))],
  [new Tanh(), Math.tanh],
] as const) {
  testOnDevices(`the layer ${layer.constructor.name} computes its function`, async (t, device) => {
    const output = await run(() => layer.forward(tensor([X])), { device });
    t.equal(differs(await output.data(), X.map(f), TOLERANCE), undefined);
    t.deepEqual(layer.parameters(), []);
  });
}

testOnDevices('the layer Softmax goes along the last axis, or along another one', async (t, device) => {
  const input = tensor([
    [0, Math.log(3)],
    [Math.log(2), Math.log(2)],
  ]);
  const [rows, columns] = await run(() => [new Softmax().forward(input), new Softmax({ axis: 0 }).forward(input)], {
    device,
  });
  t.equal(differs(await rows.data(), [1 / 4, 3 / 4, 1 / 2, 1 / 2], TOLERANCE), undefined);
  t.equal(differs(await columns.data(), [1 / 3, 3 / 5, 2 / 3, 2 / 5], TOLERANCE), undefined);
});

testOnDevices('the layer Flatten merges all axes but the batch', async (t, device) => {
  const output = await run(
    () =>
      new Flatten().forward(
        tensor([
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
          [
            [9, 10],
            [11, 12],
          ],
        ]),
      ),
    {
      device,
    },
  );
  t.deepEqual(await output.array(), [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11, 12],
  ]);
});

const UNITS = 500;
const ROWS = 40;
const ones = (): Tensor => tensor(new Float32Array(ROWS * UNITS).fill(1), { shape: [ROWS, UNITS] });

testOnDevices('Dropout scales what it keeps by 1 / (1 - p), and keeps a share of 1 - p', async (t, device) => {
  for (const probability of [0.2, 0.5, 0.9]) {
    const model = new Dropout(probability).build([UNITS], { seed: 2 });
    const output = await (await run(() => model.forward(ones()), { device })).data();
    const kept = output.filter((value) => value !== 0);
    t.ok(
      kept.every((value) => Math.abs(value * (1 - probability) - 1) < 1e-6),
      `kept ones are 1 / ${1 - probability}`,
    );
    const share = kept.length / output.length;
    const deviation = Math.sqrt((probability * (1 - probability)) / output.length);
    t.ok(Math.abs(share - (1 - probability)) < 4 * deviation, `share kept ${share}`);
  }
});

testOnDevices('Dropout draws a new mask at each step, and the same ones from the same seed', async (t, device) => {
  const masks = async (seed: number): Promise<unknown[]> => {
    const model = new Dropout(0.5).build([UNITS], { seed });
    const step = compile((x) => model.forward(x), { device });
    const steps = [];
    for (let i = 0; i < 3; i++) steps.push(await (await step(ones())).data());
    step.dispose();
    return steps;
  };
  const [first, second, third] = await masks(4);
  t.notDeepEqual(first, second);
  t.notDeepEqual(second, third);
  t.deepEqual(await masks(4), [first, second, third]);
  t.notDeepEqual((await masks(5))[0], first);
});

test('Dropout draws the same masks on every device', async (t) => {
  const [here, there] = await Promise.all(
    [cpu, await webgpu()].map(async (device) => {
      const model = new Dropout(0.3).build([UNITS], { seed: 9 });
      return (await run(() => model.forward(ones()), { device })).data();
    }),
  );
  t.deepEqual(
    Array.from(here ?? [], (value) => value > 0),
    Array.from(there ?? [], (value) => value > 0),
  );
  t.ok(here?.some((value) => value > 0));
});

test('two Dropout layers, and two uses of one, draw masks of their own', async (t) => {
  class Twice extends Module {
    readonly first = new Dropout(0.5);
    readonly second = new Dropout(0.5);

    override forward(input: Tensor): Tensor {
      return this.second.forward(this.first.forward(input));
    }
  }
  const model = new Twice().build([UNITS]);
  const [a, b, c] = await run(
    () => [model.first.forward(ones()), model.second.forward(ones()), model.first.forward(ones())],
    { device: cpu },
  );
  t.notDeepEqual(await a.data(), await b.data());
  t.notDeepEqual(await a.data(), await c.data());
});

testOnDevices('Dropout hands its input on in evaluation, and where it drops nothing', async (t, device) => {
  const model = new Sequential([new Dropout(0.9)]).build([UNITS]).eval();
  const output = await (await run(() => model.forward(ones()), { device })).data();
  t.ok(output.every((value) => value === 1));
  const none = new Dropout(0).build([UNITS]);
  t.ok((await (await run(() => none.forward(ones()), { device })).data()).every((value) => value === 1));
  const all = new Dropout(1).build([UNITS]);
  t.ok((await (await run(() => all.forward(ones()), { device })).data()).every((value) => value === 0));
});

test('a probability outside of [0, 1] is refused', (t) => {
  for (const probability of [-0.1, 1.1, NaN]) {
    refuses(t, () => new Dropout(probability), OptionError, 'probability', String(probability));
  }
  t.ok(new Dropout(1), 'the control');
  t.end();
});

test('an option that a layer does not have, or of another type, is refused', (t) => {
  refuses(t, () => new Dropout('0.5' as never), OptionError, 'Dropout: probability', '"0.5"');
  refuses(t, () => new Dropout({ p: 0.5 } as never), OptionError, 'Dropout: probability', 'an object');
  refuses(t, () => new Softmax({ dim: 1 } as never), OptionError, "Softmax: unknown option 'dim'", 'axis');
  for (const axis of [0.5, NaN, '1']) refuses(t, () => new Softmax({ axis } as never), OptionError, 'Softmax: axis');
  t.equal(new Softmax({ axis: 0 }).axis, 0, 'the control');
  t.end();
});
