import test from 'tape';
import { compile, Generator, OptionError, randomBits, run, TraceError } from '../lib/index.js';
import { testOnDevices } from './support/devices.js';
import { refuses, rejects } from './support/errors.js';

test('a seed is a whole number of 0 or more', (t) => {
  for (const seed of [-1, 1.5, NaN, Infinity, 2 ** 53])
    refuses(t, () => new Generator(seed), OptionError, 'seed', `${seed}`);
  for (const seed of [0, 1, Number.MAX_SAFE_INTEGER]) t.ok(new Generator(seed));
  t.end();
});

testOnDevices('the step moves on by one a replay, however often it was drawn from', async (t, device) => {
  const generator = new Generator(2 ** 32 + 7);
  const twice = compile(() => [randomBits([3], generator), randomBits([3], generator)], { device });
  await twice();
  await twice();
  t.deepEqual(Array.from(await generator.state.data()), [7, 1, 2, 0]);
  await compile(() => undefined, { device })();
  t.deepEqual(Array.from(await generator.state.data()), [7, 1, 2, 0], 'a plan that does not draw leaves it');
});

testOnDevices('two generators in one function are independent, each with its own step', async (t, device) => {
  const [a, b] = [new Generator(1), new Generator(2)];
  const [fromA, fromB] = await run(() => [randomBits([8], a), randomBits([8], b)], { device });
  t.notDeepEqual(await fromA.data(), await fromB.data());
  t.deepEqual([(await a.state.data())[2], (await b.state.data())[2]], [1, 1]);
});

testOnDevices('a generator goes on from the step that it is set to', async (t, device) => {
  const [a, b] = [new Generator(5), new Generator(5)];
  const drawing = (from: Generator) => compile(() => randomBits([4], from), { device });
  const [drawA, drawB] = [drawing(a), drawing(b)];
  for (let i = 0; i < 3; i++) await drawA();
  t.equal(a.step, 3);
  await drawB(); // on the device already
  b.step = 3;
  t.deepEqual(await (await drawB()).data(), await (await drawA()).data());
  t.deepEqual([a.step, b.step, a.seed], [4, 4, 5]);
  b.step = 0;
  t.deepEqual(await (await drawB()).data(), await (await run(() => randomBits([4], new Generator(5)))).data());
  for (const step of [-1, 0.5, NaN]) {
    refuses(t, () => (b.step = step), OptionError, 'step', `${step}`);
  }
});

test('a generator that was disposed of is refused', async (t) => {
  const generator = new Generator(1);
  generator.dispose();
  await rejects(
    t,
    run(() => randomBits([1], generator)),
    TraceError,
    'generator',
  );
});
