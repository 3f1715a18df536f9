/**
 * Makes, moves and checks arrays of four million numbers in every way that the library has. test/large-arrays.test.ts
 * runs it with a heap that does not hold them as JavaScript numbers: typed arrays lie outside of it.
 */
import { packFloat16, unpackFloat16, widenBfloat16, widenFloat16 } from '../../lib/float16.js';
import {
  batchIndices,
  constant,
  Dense,
  decodeSafetensors,
  encodeSafetensors,
  fromArrays,
  heNormal,
  loadState,
  RandomStream,
  resizeBilinear,
  shuffledIndices,
  splitByClass,
  stateOf,
  tensor,
  Variable,
} from '../../lib/index.js';

const COUNT = 4_000_000;
const floats = new Float32Array(COUNT).fill(0.5);
const half = { fanIn: 2000, fanOut: 2000 };

const steps: Readonly<Record<string, () => unknown>> = {
  uniform: () => new RandomStream(1, 'u').uniform(COUNT),
  normal: () => heNormal()([2000, 2000], half, new RandomStream(1, 'n')),
  constant: () => constant(2)([2000, 2000], half, new RandomStream(1, 'c')),
  shuffle: () => shuffledIndices(COUNT, 1, 's'),
  batches: () => batchIndices(COUNT, COUNT, { seed: 1, epoch: 0 }),
  'tensor of another type': () => tensor(floats, { dtype: 'i32' }),
  'f16 tensor': () => tensor(floats, { dtype: 'f16' }),
  'float16 words': () => unpackFloat16(packFloat16(floats), COUNT),
  'float16 widened': () => [widenFloat16(new Uint16Array(COUNT)), widenBfloat16(new Uint16Array(COUNT))],
  variable: async () => {
    const variable = new Variable('v', floats);
    variable.set(new Int32Array(COUNT));
    return [await variable.data(), await variable.take()];
  },
  data: () => {
    const data = fromArrays(floats, new Int32Array(COUNT / 4), { inputShape: [4], classNames: ['a', 'b'] });
    return splitByClass(data, { validation: 0.2, seed: 1 });
  },
  pictures: () => {
    const pixels = new Uint8Array(COUNT);
    const layout = { width: 1000, height: 1000, channels: 4 };
    return [resizeBilinear(pixels, layout, { width: 28, height: 28 }), resizeBilinear(pixels, layout, layout)];
  },
  state: async () => {
    const layer = new Dense(2000);
    layer.build([2000]);
    const state = await stateOf(layer);
    const { tensors } = decodeSafetensors(encodeSafetensors(state));
    loadState(layer, { tensors });
    const whole = { dtype: 'I64', shape: [2000, 2000], data: new BigInt64Array(COUNT) } as const;
    loadState(layer, { tensors: new Map([...tensors, ['weight', whole]]) });
  },
};

for (const [name, step] of Object.entries(steps)) {
  console.log(name);
  await step();
}
console.log('done');
