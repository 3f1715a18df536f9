import test from 'tape';
import { costOf } from '../../bench/cost.js';
import { entries } from '../../bench/shapes.js';
import { operations } from '../../lib/ops/index.js';
import { sizeOf } from '../../lib/shape.js';

test('every operation that computes something is benchmarked, and no operation has two shapes of one name', (t) => {
  const names = entries.map(({ operation, name }) => `${operation.name} ${name}`);
  const missing = operations.filter(
    (operation) => !operation.alias && !entries.some((entry) => entry.operation === operation),
  );
  t.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
  t.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
  t.end();
});

test('every benchmark fits its operation, and has a cost', (t) => {
  for (const entry of entries) {
    const name = `${entry.operation.name} ${entry.name}`;
    const inputs = entry.inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
    const outputs = entry.operation.infer(inputs, entry.attributes);
    t.ok(
      outputs.every(({ shape }) => sizeOf(shape) > 0),
      `${name}: outputs`,
    );
    const { flop, bytes } = costOf(entry);
    t.ok(bytes > 0 && flop >= 0, `${name}: ${flop} flop, ${bytes} bytes`);
  }
  t.end();
});

test('no shape has the name of an operation: either selects benchmarks on the command line', (t) => {
  const operationNames = new Set(operations.map(({ name }) => name));
  t.deepEqual(
    entries.map(({ name }) => name).filter((name) => operationNames.has(name)),
    [],
  );
  t.end();
});

test('the cost of a product is 2 · M · N · K flop and its three matrices, whichever operand is transposed', (t) => {
  const costs = ['mynetDense1', 'mynetDense1WeightGradient'].map((name) => {
    const entry = entries.find((candidate) => candidate.name === name && candidate.operation.name === 'matmul');
    return entry && costOf(entry);
  });
  const flop = 2 * 32 * 200 * 2352;
  const bytes = 4 * (32 * 2352 + 200 * 2352 + 32 * 200);
  t.deepEqual(costs, [
    { flop, bytes, terms: 2352, multiplyAdds: flop / 2 },
    { flop, bytes, terms: 32, multiplyAdds: flop / 2 },
  ]);
  t.end();
});

test("fused chains are those of MyNet's training step, and cost what their product costs", (t) => {
  const fused = entries.filter(({ isFused }) => isFused);
  t.deepEqual(
    fused.map(({ name }) => name),
    ['mynetFc1Forward', 'mynetFc2Forward', 'mynetFc2Gradient', 'mynetFc2Update', 'mynetFc1Update'],
  );
  const flop = 2 * 32 * 200 * 2352;
  for (const name of ['mynetFc1Forward', 'mynetFc1Update']) {
    const entry = fused.find((candidate) => candidate.name === name);
    t.equal(entry && costOf(entry).flop, flop, name);
  }
  t.end();
});

test('what is timed of an operation are the sizes that its room names', (t) => {
  for (const operation of operations.filter(({ benchmarks }) => benchmarks)) {
    const names = entries.filter((entry) => entry.operation === operation).map(({ name }) => name);
    t.deepEqual(names, Object.keys(operation.benchmarks ?? {}), operation.name);
  }
  t.end();
});
