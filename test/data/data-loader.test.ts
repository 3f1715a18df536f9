import test from 'tape';
import {
  batchIndices,
  compile,
  DataError,
  DataLoader,
  fromArrays,
  OptionError,
  run,
  tensor,
  type Tensor,
  type TensorRecord,
  TraceError,
} from '../../lib/index.js';
import { permutation } from '../../lib/random.js';
import { testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';

/** Rows that hold their own numbers; the label is the number, too. */
function numbered(count: number) {
  const labels = Int32Array.from({ length: count }, (_, row) => row);
  const classNames = Array.from(labels, String);
  return fromArrays(Float32Array.from(labels), labels, { inputShape: [1], classNames });
}

testOnDevices('the batches are those of batchIndices, one epoch after the other', async (t, device) => {
  const [count, batchSize, seed] = [23, 5, 9];
  const loader = new DataLoader(numbered(count), { batchSize, seed });
  t.deepEqual([loader.count, loader.batchesPerEpoch], [23, 5]);
  const next = compile(
    () => {
      const { inputs, labels } = loader.next();
      return [inputs, labels];
    },
    { device },
  );
  const seen: number[] = [];
  while (seen.length < 3 * count) {
    const [inputs, labels] = await next();
    const rows = Array.from((await inputs?.data()) ?? []);
    t.deepEqual(Array.from((await labels?.data()) ?? []), rows, 'inputs and labels of the same rows');
    seen.push(...rows);
  }
  const expected = [0, 1, 2].flatMap((epoch) =>
    batchIndices(count, batchSize, { seed, epoch }).flatMap((rows) => [...rows]),
  );
  t.deepEqual(seen.slice(0, 3 * count), expected);
  loader.dispose();
});

testOnDevices('a stream goes on from an epoch and a position', async (t, device) => {
  const loader = new DataLoader(numbered(23), { batchSize: 5, seed: 9 });
  const next = compile(() => loader.next().labels, { device });
  const batches = async (count: number): Promise<number[][]> => {
    const rows: number[][] = [];
    for (let i = 0; i < count; i++) rows.push(Array.from(await (await next()).data()));
    return rows;
  };
  const whole = await batches(14);
  for (const taken of [1, 0, 9, 4, 5]) {
    loader.seek(Math.floor((5 * taken) / 23), (5 * taken) % 23);
    t.deepEqual(await batches(5), whole.slice(taken, taken + 5), `after ${taken} batches`);
  }
});

testOnDevices('two batches in one step follow each other, of any size', async (t, device) => {
  const loader = new DataLoader(numbered(7), { batchSize: 2, shuffle: false });
  const step = compile(() => [loader.next().labels, loader.next(6).labels], { device });
  await step();
  const [first, second] = await step();
  t.deepEqual(Array.from((await first?.data()) ?? []), [1, 2], 'the first step took 8 rows');
  t.deepEqual(Array.from((await second?.data()) ?? []), [3, 4, 5, 6, 0, 1]);
});

testOnDevices('a batch larger than the data is the data', async (t, device) => {
  const loader = new DataLoader(numbered(4), { batchSize: 2 ** 40, seed: 9 });
  t.deepEqual([loader.batchSize, loader.batchesPerEpoch], [4, 1]);
  const step = compile(() => [loader.next().labels, loader.next(1e7).labels], { device });
  const batches = await step();
  for (const [epoch, batch] of batches.entries()) {
    t.deepEqual(await batch.data(), batchIndices(4, 2 ** 40, { seed: 9, epoch })[0]);
  }
});

testOnDevices('the stream begins with the epoch that it is told', async (t, device) => {
  const loader = new DataLoader(numbered(7), { batchSize: 3, seed: 9, epoch: 4 });
  const next = compile(() => loader.next().labels, { device });
  const seen: number[] = [];
  for (let i = 0; i < 5; i++) seen.push(...(await (await next()).data()));
  const expected = [4, 5].flatMap((epoch) => batchIndices(7, 7, { seed: 9, epoch }).flatMap((rows) => [...rows]));
  t.deepEqual(seen.slice(0, 14), expected);
});

testOnDevices('numbers to be predicted come in their shape, beside their inputs', async (t, device) => {
  const rows = Array.from({ length: 5 }, (_, row) => row);
  const data = fromArrays(
    rows.map((row) => [row]),
    rows.map((row) => [
      [row, 10 * row],
      [10 - row, 0.5],
    ]),
  );
  const loader = new DataLoader(data, { batchSize: 3, seed: 2 });
  const next = (): readonly [Tensor, Tensor] => {
    const { inputs, targets } = loader.next();
    return [inputs, targets];
  };
  const [inputs, targets] = await run(next, { device });
  t.deepEqual(targets.shape, [3, 2, 2]);
  const picked = [...(await inputs.data())];
  t.deepEqual(
    [...(await targets.data())],
    picked.flatMap((row) => [row, 10 * row, 10 - row, 0.5]),
  );
});

testOnDevices(
  'inputs of bytes are scaled where they are read: bit for bit those of a float32 set',
  async (t, device) => {
    const [count, columns] = [7, 45];
    const bytes = Uint8Array.from({ length: count * columns }, (_, i) => (i * 89) % 256);
    const labels = Array.from({ length: count }, (_, row) => row % 3);
    const options = { inputShape: [columns] };
    const loaders = [
      fromArrays(bytes, labels, { ...options, scale: 1 / 255 }),
      fromArrays(
        Float32Array.from(bytes, (byte) => byte / 255),
        labels,
        options,
      ),
    ].map((data) => new DataLoader(data, { batchSize: 4, seed: 3 }));
    const step = compile(() => loaders.map((loader) => loader.next().inputs), { device });
    for (let i = 0; i < 3; i++) {
      const [fromBytes, fromFloats] = await step();
      t.equal(fromBytes?.dtype, 'f32');
      t.deepEqual(await fromBytes?.data(), await fromFloats?.data(), `batch ${i}`);
    }
    const [plan] = step.plans();
    const inputs = plan?.program.variables.filter(({ name }) => name === 'data.inputs') ?? [];
    t.deepEqual(
      inputs.map((variable) => device.bytesOf(variable)),
      [count * columns, 4 * count * columns].map((size) => roundUp(size, device.info.kind === 'cpu' ? 64 : 16)),
      'a quarter of the memory',
    );
  },
);

testOnDevices('a record of tensors gives batches under the same names', async (t, device) => {
  const left = tensor([[0], [1], [2], [3], [4]]);
  const right = tensor(Uint8Array.of(0, 10, 20, 30, 40));
  const ids = tensor(Int32Array.of(0, -1, -2, -3, -4));
  const loader = new DataLoader({ left, right, ids }, { batchSize: 2, seed: 4 });
  const step = compile(() => loader.next(), { device });
  const seen: number[] = [];
  for (let i = 0; i < 3; i++) {
    const batch = await step();
    const rows = [...(await batch.left.data())];
    t.deepEqual(
      [...(await batch.right.data())],
      rows.map((row) => 10 * row),
    );
    t.deepEqual(
      [...(await batch.ids.data())],
      rows.map((row) => 0 - row),
    );
    seen.push(...rows);
  }
  t.deepEqual([...seen.slice(0, 5)].sort(), [0, 1, 2, 3, 4], 'each row once in an epoch');
});

test('a batch larger than the data is the data', async (t) => {
  for (const batchSize of [4, 1e7, 2 ** 40]) {
    const loader = new DataLoader(numbered(4), { batchSize, shuffle: false });
    t.deepEqual([loader.batchSize, loader.batchesPerEpoch], [4, 1]);
    const labels = await run(() => loader.next().labels);
    t.deepEqual([...(await labels.data())], [0, 1, 2, 3]);
  }
});

test('parts of a record that do not belong together are refused', (t) => {
  const two = tensor([[1], [2]]);
  t.equal(new DataLoader({ two }).count, 2, 'the control case');
  refuses(t, () => new DataLoader({ two, three: tensor([1, 2, 3]) }), DataError, 'two has 2 rows, three 3');
  refuses(t, () => new DataLoader({ two, one: tensor(1) }), DataError, 'one is a single number');
  const list: unknown = [1, 2];
  refuses(
    t,
    () => new DataLoader({ two, list: list as Tensor }),
    DataError,
    'list is an array of 2',
    'expected a tensor',
  );
  refuses(t, () => new DataLoader({ two: tensor(new Float32Array(0)) }), DataError, 'no rows');
  const nothing: TensorRecord = {};
  refuses(t, () => new DataLoader(nothing), DataError, 'tensors by name', 'inputs', 'found an object');
  t.end();
});

test('what is no data, no batch size or no seed is refused, and so is next() outside of a traced function', (t) => {
  const data = numbered(4);
  refuses(t, () => new DataLoader(data, { batchSize: 0 }), OptionError, 'batchSize', 'found 0');
  refuses(t, () => new DataLoader(data, { seed: -1 }), OptionError, 'seed');
  refuses(t, () => new DataLoader(data, { epoch: -1 }), OptionError, 'epoch');
  const loader = new DataLoader(data);
  refuses(
    t,
    () => {
      loader.seek(0, loader.count);
    },
    OptionError,
    'position',
    `below ${loader.count}`,
  );
  refuses(
    t,
    () => {
      loader.seek(0.5);
    },
    OptionError,
    'epoch',
  );
  // @ts-expect-error an unknown option
  refuses(t, () => new DataLoader(data, { batchsize: 2 }), OptionError, 'batchSize');
  const empty = { inputs: new Float32Array(0), inputShape: [1], labels: new Int32Array(0), classNames: [] };
  refuses(t, () => new DataLoader(empty), DataError, 'no rows');
  refuses(t, () => new DataLoader(data).next(), TraceError, 'compile');
  t.end();
});

test('a permutation has every number once, for any count', (t) => {
  for (const count of [1, 2, 3, 4, 5, 16, 17, 31, 33, 1000, 4097]) {
    const order = permutation(count, [1, 2], 3);
    const numbers = new Set(Array.from({ length: count }, (_, place) => order(place)));
    t.ok(numbers.size === count && Math.max(...numbers) === count - 1 && Math.min(...numbers) === 0, `${count}`);
  }
  t.end();
});

test('all orders are about equally likely', (t) => {
  for (const count of [3, 4, 5]) {
    const seen = new Map<string, number>();
    const draws = 24_000;
    for (let epoch = 0; epoch < draws; epoch++) {
      const order = permutation(count, [7, 0], epoch);
      const key = Array.from({ length: count }, (_, place) => order(place)).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const orders = [1, 1, 2, 6, 24, 120][count] ?? 0;
    t.equal(seen.size, orders, `every order of ${count} comes up`);
    const expected = draws / orders;
    const chiSquare = [...seen.values()].reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
    // Mean orders - 1, standard deviation √(2 (orders - 1)); the draws are fixed, so that this cannot fail by chance.
    t.ok(chiSquare < orders - 1 + 4 * Math.sqrt(2 * (orders - 1)), `chi-square ${chiSquare} of ${orders} orders`);
  }
  t.end();
});

test('over many rows, places and numbers are independent', (t) => {
  const count = 1000;
  const order = permutation(count, [3, 0], 0);
  const numbers = Array.from({ length: count }, (_, place) => order(place));
  const correlation = (pairs: readonly (readonly [number, number])[]): number => {
    const mean = (count - 1) / 2;
    const variance = (count * count - 1) / 12;
    return pairs.reduce((sum, [a, b]) => sum + (a - mean) * (b - mean), 0) / pairs.length / variance;
  };
  t.ok(Math.abs(correlation(numbers.map((number, place) => [place, number]))) < 0.1, 'of place and number');
  t.ok(Math.abs(correlation(numbers.slice(1).map((number, i) => [numbers[i] ?? 0, number]))) < 0.1, 'of neighbours');
  t.end();
});

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
