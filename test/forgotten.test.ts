import test from 'tape';
import { CpuDevice } from '../lib/device/cpu/device.js';
import {
  add,
  compile,
  Dense,
  Dropout,
  evaluate,
  fit,
  fromArrays,
  predict,
  run,
  Sequential,
  SGD,
  tensor,
  Variable,
} from '../lib/index.js';
import { simd, testOnDevices } from './support/devices.js';
import { bytesLeftBy, collectGarbage, NOTHING_LEFT } from './support/garbage.js';
import { webgpu } from './support/webgpu.js';

const data = fromArrays([[1], [2]], [0, 1]);
const input = tensor([[1]]);

testOnDevices('a model that nobody disposes of is collected, whatever it was used for', async (t, device) => {
  const dropped = [];
  for (let i = 0; i < 3; i++) dropped.push(new WeakRef(await useModel()));
  await collectGarbage();
  t.deepEqual(
    dropped.map((model) => model.deref()),
    [undefined, undefined, undefined],
  );

  async function useModel(): Promise<object> {
    const model = new Sequential({ fc: new Dense(2), drop: new Dropout(0.5) });
    const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
    await fit(model, data, { epochs: 2, optimizer, validation: data, device });
    await evaluate(model, data, { device });
    await predict(model, input, { device });
    await run(() => model.forward(input), { device });
    await compile((x) => model.forward(x), { device })(input);
    return model;
  }
});

test('variables that are forgotten give their memory back, and so do the plans of run() for them', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  const use = async (): Promise<void> => {
    const variable = new Variable('large', new Float32Array(100_000));
    await run(() => add(variable, 1), { device });
    await compile(() => add(variable, 1), { device })();
  };
  for (let i = 0; i < 8; i++) await use();
  await collectGarbage();
  const bytes = device.heap.memory.buffer.byteLength;
  for (let i = 0; i < 40; i++) {
    await use();
    if (i % 8 === 7) await collectGarbage();
  }
  t.equal(device.heap.memory.buffer.byteLength, bytes);
});

for (const [name, open] of [
  ['simd', () => Promise.resolve(simd)],
  ['webgpu', webgpu],
] as const) {
  test(`what is done again and again leaves nothing behind on ${name}`, async (t) => {
    const device = await open();
    const variable = new Variable('v', Float32Array.of(1));
    const f = compile((x) => add(x, variable), { device });
    const ways: Readonly<Record<string, () => Promise<unknown>>> = {
      'a call': async () => (await f([1])).data(),
      'calls side by side': () => Promise.all([f([1]), f([2])]),
      'a repetition': () => f.repeat(2, [[1]]),
      run: () => run(() => add(variable, 1), { device }),
      'a lazy tensor': () => add(variable, 1).data(),
      'reading a variable': () => variable.data(),
    };
    for (const [what, way] of Object.entries(ways)) {
      const bytes = await bytesLeftBy(way);
      t.ok(bytes <= NOTHING_LEFT, `${what}: ${bytes.toFixed(1)} bytes each`);
    }
  });
}
