import { fileURLToPath } from 'node:url';
import test from 'tape';
import {
  compile,
  DataError,
  OptionError,
  Parameter,
  type SafetensorsTensor,
  SGD,
  type SGDOptions,
} from '../../lib/index.js';
import { readSafetensors } from '../../lib/node/index.js';
import { differs } from '../support/close.js';
import { testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';

/** Ten steps in float32 against float64; the worst error seen is 1.1e-6 on values up to 10. */
const TOLERANCE = { absolute: 4e-6, relative: 1e-6 };
const STEPS = 10;

/** test/fixtures/README.md says how these were computed. */
const CASES: readonly (readonly [name: string, options: SGDOptions])[] = [
  ['sgd_weight_decay', { learningRate: 0.1, weightDecay: 0.01 }],
  ['sgd_dampening', { learningRate: 0.1, momentum: 0.9, dampening: 0.5 }],
  ['sgd_nesterov_weight_decay', { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }],
];

async function stored(name: string): Promise<(tensor: string) => Float32Array | Float64Array> {
  const path = fileURLToPath(new URL(`../fixtures/${name}.safetensors`, import.meta.url));
  const { tensors } = await readSafetensors(path);
  return (wanted) => {
    const found: SafetensorsTensor | undefined = tensors.get(wanted);
    if (found?.dtype !== 'F32' && found?.dtype !== 'F64') throw new DataError(`${path} has no ${wanted}`);
    return found.data;
  };
}

for (const [name, options] of CASES) {
  testOnDevices(`${name} follows PyTorch's parameter and velocity through ten steps`, async (t, device) => {
    const values = await stored(name);
    const optimizer = new SGD(options);
    const parameter = new Parameter('b', Float32Array.from(values('b')));
    const step = compile((gradient) => optimizer.apply([parameter], [gradient]), { device });
    const row = (tensor: string, i: number): ArrayLike<number> => values(tensor).subarray(3 * i, 3 * (i + 1));
    for (let i = 0; i < STEPS; i++) {
      await step(Float32Array.from(row('grad.b', i)));
      t.equal(differs(await parameter.data(), row('b.after.f64', i), TOLERANCE), undefined, `parameter, step ${i}`);
      const velocity = await optimizer.velocity(parameter)?.data();
      if (options.momentum === undefined) t.equal(velocity, undefined, 'without momentum there is no velocity');
      else {
        const expected = row('b.state.momentum_buffer.f64', i);
        t.equal(velocity && differs(velocity, expected, TOLERANCE), undefined, `velocity, step ${i}`);
      }
    }
    t.equal(optimizer.step, STEPS);
    step.dispose();
    optimizer.dispose();
    parameter.dispose();
  });
}

testOnDevices('plain SGD takes learningRate · gradient off each parameter', async (t, device) => {
  const optimizer = new SGD({ learningRate: 0.5 });
  const [a, b] = [new Parameter('a', Float32Array.of(1, 2)), new Parameter('b', Float32Array.of(3, 4, 5, 6), [2, 2])];
  await compile((da, db) => optimizer.apply([a, b], [da, db]), { device })(
    [2, -2],
    [
      [1, 2],
      [3, 4],
    ],
  );
  t.deepEqual(await a.data(), Float32Array.of(0, 3));
  t.deepEqual(await b.data(), Float32Array.of(2.5, 3, 3.5, 4));
});

testOnDevices(
  'the first step of momentum takes the whole gradient as its velocity, dampening or not',
  async (t, device) => {
    const optimizer = new SGD({ learningRate: 1, momentum: 0.5, dampening: 0.75 });
    const parameter = new Parameter('p', Float32Array.of(0));
    const step = compile((gradient) => optimizer.apply([parameter], [gradient]), { device });
    await step([8]);
    t.deepEqual(await optimizer.velocity(parameter)?.data(), Float32Array.of(8));
    await step([8]);
    t.deepEqual(await optimizer.velocity(parameter)?.data(), Float32Array.of(6), '0.5 · 8 + 0.25 · 8');
    t.deepEqual(await parameter.data(), Float32Array.of(-14));
  },
);

test('state is named after its parameter, as in PyTorch', async (t) => {
  const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
  const parameter = new Parameter('fc1.weight', new Float32Array(6), [2, 3]);
  t.equal(optimizer.namedVariables().size, 0, 'there is none before the first step');
  await compile((gradient) => optimizer.apply([parameter], [gradient]))([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const [[name, variable] = []] = optimizer.namedVariables();
  t.equal(name, 'fc1.weight.momentum_buffer');
  t.deepEqual([variable?.shape, variable?.name], [[2, 3], name]);
  t.deepEqual(await variable?.data(), Float32Array.of(1, 2, 3, 4, 5, 6));
});

test('options out of their range are refused, naming them', (t) => {
  for (const bad of [-0.1, NaN, Infinity]) {
    refuses(t, () => new SGD({ learningRate: bad }), OptionError, 'learning rate', String(bad));
    for (const name of ['momentum', 'dampening', 'weightDecay']) {
      refuses(t, () => new SGD({ learningRate: 0.1, [name]: bad }), OptionError, name, String(bad));
    }
  }
  refuses(t, () => new SGD({ learningRate: 0.1, nesterov: true }), OptionError, 'nesterov', 'momentum');
  const dampened = { learningRate: 0.1, momentum: 0.9, dampening: 0.1, nesterov: true };
  refuses(t, () => new SGD(dampened), OptionError, 'nesterov', 'no dampening');
  t.deepEqual(
    new SGD({ learningRate: 0, momentum: 0.9, nesterov: true }).options,
    { momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: true },
    'the control',
  );
  t.end();
});

test('an option with a typo is refused, suggesting the right one', (t) => {
  const mistyped = { learningRate: 0.1, momentun: 0.9 };
  refuses(t, () => new SGD(mistyped), OptionError, "SGD: unknown option 'momentun'", "did you mean 'momentum'");
  const missing: object = {};
  refuses(t, () => new SGD(missing as SGDOptions), OptionError, 'learning rate', 'undefined');
  t.end();
});
