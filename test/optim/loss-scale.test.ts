import test from 'tape';
import {
  Adam,
  autocast,
  compile,
  Dense,
  type Device,
  fit,
  fromArrays,
  LossScale,
  mean,
  mixedFloat16,
  multiply,
  OptionError,
  Parameter,
  ReLU,
  Sequential,
  SGD,
  square,
  sum,
  tensor,
} from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { simd, testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';
import { stepsOf } from '../support/fusing.js';

/** Steps on Σ w · factor, whose gradient is the factor: what is left of a parameter of ones behind each, and the scale. */
async function trained(device: Device, make: typeof SGD | typeof Adam, factors: readonly number[]) {
  const parameter = new Parameter('w', new Float32Array(7).fill(1), [7]);
  const optimizer =
    make === SGD ? new SGD({ learningRate: 0.5, momentum: 0.5 }) : new Adam({ learningRate: 0.5, epsilon: 0.5 });
  const lossScale = new LossScale({ initial: 1024, interval: 2 });
  const step = compile(
    (factor) => void optimizer.minimize(sum(multiply(parameter.value, factor)), [parameter], { lossScale }),
    { device },
  );
  const seen: (readonly number[])[] = [];
  for (const factor of factors) {
    await step(tensor(factor));
    seen.push([(await parameter.data())[3] ?? NaN, ...(await lossScale.state())]);
  }
  return { seen, optimizer, parameter, names: stepsOf(step) };
}

function numbersOf(state: Awaited<ReturnType<SGD['state']>>, name: string): number[] {
  return Array.from<unknown>(state.get(name)?.data ?? []).map(Number);
}

testOnDevices('the scale is doubled after good steps, and halved after one that is skipped', async (t, device) => {
  const { seen, optimizer } = await trained(device, SGD, [1, 1, Infinity, 1, NaN, 1, 1]);
  t.deepEqual(
    seen,
    [
      [0.5, 1024, 1],
      [-0.25, 2048, 0],
      [-0.25, 1024, 0],
      [-1.125, 1024, 1],
      [-1.125, 512, 0],
      [-2.0625, 512, 1],
      [-3.03125, 1024, 0],
    ],
    'the parameter with momentum, the scale, good steps',
  );
  t.equal(optimizer.step, 7, 'steps that are skipped are counted');
});

testOnDevices(
  'Adam, too, leaves a parameter and its moments as they are where a gradient is not finite',
  async (t, device) => {
    const { optimizer, parameter } = await trained(device, Adam, [1, -Infinity]);
    const state = await optimizer.state();
    t.deepEqual(numbersOf(state, 'w.exp_avg'), new Array<number>(7).fill(Math.fround(0.1)));
    const before = await trained(device, Adam, [1]);
    t.deepEqual([...(await parameter.data())], [...(await before.parameter.data())]);
  },
);

test('a gradient is divided by the scale where it is used', async (t) => {
  const { names } = await trained(simd, SGD, [1]);
  t.ok(
    names.includes('divide + sgdMomentumUpdate') || names.some((own) => /divide \+ sgdMomentum/.test(own)),
    names.join(', '),
  );
});

testOnDevices('gradients too small for 16-bit floats come through by a scale', async (t, device) => {
  const parameter = (): Parameter => new Parameter('w', Float32Array.of(1, 2), [2, 1]);
  const lossOf = (own: Parameter) =>
    multiply(sum(autocast(() => multiply(multiply(own.value, 3), 1))), tensor(2 ** -27));
  const slopes: number[] = [];
  for (const lossScale of [undefined, new LossScale()]) {
    const [own, optimizer] = [parameter(), new SGD({ learningRate: 2 ** 20 })];
    const step = compile(() => void optimizer.minimize(lossOf(own), [own], { lossScale }), { device });
    await step();
    slopes.push((1 - ((await own.data())[0] ?? NaN)) / 2 ** 20);
  }
  t.deepEqual(slopes, [0, 3 * 2 ** -27]);
});

test('a scale is a part of the state of its optimizer, and goes on where that is loaded', async (t) => {
  const { optimizer, parameter } = await trained(simd, SGD, [1, 1, 1]);
  const state = await optimizer.state();
  t.deepEqual(numbersOf(state, 'loss_scale'), [2048, 1]);
  const [next, lossScale] = [new SGD({ learningRate: 0.5, momentum: 0.5 }), new LossScale({ interval: 2 })];
  next.loadState([parameter], { tensors: state });
  const step = compile(() => void next.minimize(sum(parameter.value), [parameter], { lossScale }), { device: simd });
  await step();
  t.deepEqual(await lossScale.state(), [4096, 0]);
});

test('fit trains in mixed precision', async (t) => {
  const random = new RandomStream(1, 'data');
  const inputs = Array.from({ length: 40 }, () => [...random.normal(6)]);
  const data = fromArrays(
    inputs,
    inputs.map(([a = 0, b = 0]) => Number(a + b > 0)),
  );
  const losses = async (options: object): Promise<readonly number[]> => {
    const model = new Sequential([new Dense(16), new ReLU(), new Dense(2)]);
    const optimizer = new Adam({ learningRate: 0.02 });
    const history = await fit(model, data, { epochs: 12, batchSize: 8, optimizer, device: simd, ...options });
    return history.loss;
  };
  const dtypePolicy = mixedFloat16();
  const [half, whole] = [await losses({ dtypePolicy }), await losses({})];
  t.notDeepEqual(half, whole);
  t.ok((half.at(-1) ?? NaN) < 0.3, 'it learns');
  half.forEach((loss, i) => {
    t.ok(Math.abs(loss - (whole[i] ?? NaN)) < 0.01, `${loss}, in f32 ${whole[i]}`);
  });
  t.deepEqual(await dtypePolicy.lossScale.state(), [65_536, 60]);
});

test('unusable options of mixed precision are refused', async (t) => {
  refuses(t, () => new LossScale({ initial: 0 }), OptionError, 'initial');
  refuses(t, () => mixedFloat16({ interval: 0.5 }), OptionError, 'interval');
  const model = new Dense(2);
  const options = { epochs: 1, optimizer: new SGD({ learningRate: 1 }), dtypePolicy: 'mixed_float16' as never };
  await rejects(t, fit(model, fromArrays([[1]], [0]), options), OptionError, 'dtypePolicy', 'mixedFloat16()');
});

test('what a loss does not reach is not scaled', async (t) => {
  const parameters = [
    new Parameter('a', Float32Array.of(1), [1]),
    new Parameter('b', Float32Array.of(1), [1]),
  ] as const;
  const optimizer = new SGD({ learningRate: 1 });
  const lossScale = new LossScale();
  const step = compile(() => optimizer.minimize(mean(square(parameters[0].value)), parameters, { lossScale }), {
    device: simd,
  });
  const gradients = await step();
  t.deepEqual(await Promise.all(gradients.map(async (own) => [...(await own.data())])), [[2], [0]]);
});
