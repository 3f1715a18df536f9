import test from 'tape';
import {
  compile,
  dropout,
  type DropoutOptions,
  Generator,
  gradient,
  OptionError,
  run,
  sum,
  tensor,
} from '../../../lib/index.js';
import { cpu, testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { webgpu } from '../../support/webgpu.js';

const ones = (size: number) => new Float32Array(size).fill(1);

test('dropout masks are equal on cpu and webgpu, for odd sizes, over several replays', async (t) => {
  for (const size of [1, 3, 6, 63, 257, 1001]) {
    for (const probability of [0.5, 0.1]) {
      const make = () => {
        const generator = new Generator(77);
        return (x: ReturnType<typeof tensor>) => dropout(x, { probability, generator });
      };
      const [onCpu, onGpu] = [compile(make(), { device: cpu }), compile(make(), { device: await webgpu() })];
      for (let replay = 0; replay < 2; replay++) {
        const [expected, got] = [await (await onCpu(ones(size))).data(), await (await onGpu(ones(size))).data()];
        t.deepEqual(got, expected, `size ${size}, p ${probability}, replay ${replay}`);
      }
    }
  }
});

testOnDevices('the backward pass of dropout draws the mask of its forward pass', async (t, device) => {
  const generator = new Generator(4);
  const step = compile(
    (x) => {
      const kept = dropout(x, { probability: 0.25, generator });
      const other = dropout(x, { probability: 0.25, generator });
      const [dx, dOther] = [...gradient(sum(kept), [x]), ...gradient(sum(other), [x])];
      return [kept, dx ?? x, other, dOther ?? x];
    },
    { device },
  );
  const seen = new Set<string>();
  for (let replay = 0; replay < 3; replay++) {
    const [kept, dx, other, dOther] = await Promise.all((await step(ones(101))).map((result) => result.data()));
    t.deepEqual(dx, kept, 'for x = 1, dropout(x) and its gradient are both mask / (1 - p)');
    t.deepEqual(dOther, other);
    t.notDeepEqual(other, kept, 'two uses in one step have masks of their own');
    t.ok(kept?.every((value) => value === 0 || value === Math.fround(4 / 3)));
    seen.add(String(kept)).add(String(other));
  }
  t.equal(seen.size, 6, 'every replay draws others');
});

testOnDevices('dropout drops the share that it was asked to and keeps the mean', async (t, device) => {
  const count = 40_000;
  for (const probability of [0.1, 0.5, 0.9]) {
    const generator = new Generator(8);
    const output = await (await run(() => dropout(tensor(ones(count)), { probability, generator }), { device })).data();
    const dropped = output.filter((value) => value === 0).length / count;
    const error = 4 * Math.sqrt((probability * (1 - probability)) / count);
    t.ok(Math.abs(dropped - probability) < error, `${dropped} of ${probability}`);
  }
});

testOnDevices('dropout of probability 0 is the input, of 1 nothing, and of Inf and NaN no leak', async (t, device) => {
  const generator = new Generator(8);
  const x = tensor([1, Infinity, NaN]);
  const read = async (probability: number) =>
    Array.from(await (await run(() => dropout(x, { probability, generator }), { device })).data());
  t.deepEqual(await read(0), [1, Infinity, NaN]);
  t.deepEqual(await read(1), [0, 0, 0]);
});

testOnDevices('a mask of ones own is applied and scaled', async (t, device) => {
  const output = await run(() => dropout(tensor([1, 2, 3]), { probability: 0.5, mask: tensor([1, 0, 1]) }), { device });
  t.deepEqual(Array.from(await output.data()), [2, 0, 6]);
});

test('a probability outside of [0, 1] is refused', (t) => {
  for (const probability of [-0.1, 1.5, NaN]) {
    const options: DropoutOptions = { probability, generator: new Generator(1) };
    refuses(t, () => dropout(tensor(1), options), OptionError, 'dropout', `${probability}`);
  }
  t.end();
});
