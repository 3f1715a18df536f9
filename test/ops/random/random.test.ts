import test from 'tape';
import {
  compile,
  Generator,
  randomBits,
  randomNormal,
  randomUniform,
  ShapeError,
  run,
  tensor,
  type Tensor,
} from '../../../lib/index.js';
import { commonWgsl, philoxWgsl } from '../../../lib/generated/wgsl.js';
import { defineOperation } from '../../../lib/graph/define.js';
import { Uniforms } from '../../../lib/graph/launch.js';
import { applyOne } from '../../../lib/graph/node.js';
import { u32 } from '../../../lib/graph/operands.js';
import { type Counter, type Key, philox4x32 } from '../../../lib/random.js';
import { cpu, testOnDevices } from '../../support/devices.js';
import { rejects } from '../../support/errors.js';
import { PHILOX_ANSWERS } from '../../support/philox.js';
import { webgpu } from '../../support/webgpu.js';

/** philox4x32 itself, of counters [n, 4] and keys [n, 2]. */
const philoxOperation = defineOperation()({
  name: 'philox',
  inputs: { counters: u32('n', 4), keys: u32('n', 2) },
  outputs: { words: u32('n', 4) },
  reference({ counters, keys, words }, { n }) {
    for (let i = 0; i < n; i++) {
      const counter: Counter = [
        counters.at(4 * i),
        counters.at(4 * i + 1),
        counters.at(4 * i + 2),
        counters.at(4 * i + 3),
      ];
      const key: Key = [keys.at(2 * i), keys.at(2 * i + 1)];
      words.data.set(philox4x32(counter, key), 4 * i);
    }
  },
  kernel: ({ sizes: { n } }) => [
    {
      kernel: {
        name: 'philox',
        code: `${commonWgsl}${philoxWgsl}
          @group(0) @binding(0) var<storage, read> counters: array<vec4u>;
          @group(0) @binding(1) var<storage, read> keys: array<vec2u>;
          @group(0) @binding(2) var<storage, read_write> words: array<vec4u>;
          @group(0) @binding(3) var<uniform> unused: vec4u;
          @compute @workgroup_size(1) fn philox(@builtin(workgroup_id) id: vec3u) {
            words[id.x] = philox4x32(counters[id.x], keys[id.x]);
          }`,
        entryPoint: 'philox',
      },
      bindings: ['counters', 'keys', 'words'],
      uniforms: new Uniforms().u32(0).bytes(),
      workgroups: [n, 1, 1],
    },
  ],
  gradient: { none: 'a test' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [],
});

testOnDevices('philox4x32 gives the three known answers', async (t, device) => {
  const counters = tensor(Uint32Array.from(PHILOX_ANSWERS.flatMap(({ counter }) => counter)), { shape: [3, 4] });
  const keys = tensor(Uint32Array.from(PHILOX_ANSWERS.flatMap(({ key }) => key)), { shape: [3, 2] });
  const words = await run(() => applyOne(philoxOperation, [counters, keys], {}), { device });
  t.deepEqual(
    Array.from(await words.data()),
    PHILOX_ANSWERS.flatMap((answer) => answer.words),
  );
});

const read = async (result: Tensor): Promise<number[]> => Array.from(await result.data());

test('bits and uniform numbers are equal on cpu and webgpu, bit for bit, for odd sizes, over several replays', async (t) => {
  for (const size of [1, 2, 3, 5, 7, 255, 257, 1003]) {
    const draw = () => {
      const generator = new Generator(2 ** 40 + 11);
      return () => [randomBits([size], generator), randomUniform([size], generator)];
    };
    const [onCpu, onGpu] = [compile(draw(), { device: cpu }), compile(draw(), { device: await webgpu() })];
    for (let replay = 0; replay < 3; replay++) {
      const [expected, got] = [await onCpu(), await onGpu()];
      for (const [i, result] of got.entries())
        t.deepEqual(await read(result), expected[i] && (await read(expected[i])), `size ${size}`);
    }
  }
});

testOnDevices('each replay draws other numbers, and the same seed the same sequence', async (t, device) => {
  const sequence = async (seed: number): Promise<string[]> => {
    const generator = new Generator(seed);
    const f = compile(() => randomBits([6], generator), { device });
    return [await read(await f()), await read(await f()), await read(await f())].map(String);
  };
  const first = await sequence(5);
  t.equal(new Set(first).size, 3);
  t.deepEqual(await sequence(5), first);
  t.notDeepEqual(await sequence(6), first);
});

testOnDevices('draws of one replay are independent: by stream, and by use of one stream', async (t, device) => {
  const generator = new Generator(5);
  const results = await compile(
    () => [
      randomBits([64], generator),
      randomBits([64], generator),
      randomBits([64], generator, 'other'),
      randomBits([64], generator, 'another'),
    ],
    { device },
  )();
  const drawn = await Promise.all(results.map(read));
  t.equal(new Set(drawn.flat()).size, 4 * 64, 'no word twice');
});

testOnDevices('uniform numbers lie in [0, 1), normal ones have mean 0 and variance 1', async (t, device) => {
  const generator = new Generator(9);
  const count = 50_001;
  const [uniform, normal] = await run(() => [randomUniform([count], generator), randomNormal([count], generator)], {
    device,
  });
  const u = await read(uniform);
  const z = await read(normal);
  const mean = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
  t.ok(u.every((x) => x >= 0 && x < 1));
  // Four standard errors each.
  t.ok(Math.abs(mean(u) - 0.5) < 4 / Math.sqrt(12 * count), `uniform mean ${mean(u)}`);
  t.ok(z.length === count && z.every(Number.isFinite));
  t.ok(Math.abs(mean(z)) < 4 / Math.sqrt(count), `normal mean ${mean(z)}`);
  t.ok(Math.abs(mean(z.map((x) => x * x)) - 1) < 4 * Math.sqrt(2 / count), 'normal variance');
  t.ok(Math.abs(mean(z.slice(1).map((x, i) => x * (z[i] ?? 0)))) < 4 / Math.sqrt(count), 'neighbours are uncorrelated');
});

test('a size that is negative or fractional is refused', async (t) => {
  const generator = new Generator(1);
  await rejects(
    t,
    run(() => randomUniform([2, -1], generator)),
    ShapeError,
    '-1',
    '[2, -1]',
  );
  await rejects(
    t,
    run(() => randomBits([1.5], generator)),
    ShapeError,
    '1.5',
  );
});
