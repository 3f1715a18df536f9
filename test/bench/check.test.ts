import test from 'tape';
import { checkOf } from '../../bench/check.js';
import { costOf } from '../../bench/cost.js';
import { CpuRunner } from '../../bench/cpu-runner.js';
import type { Entry } from '../../bench/entry.js';
import { entries } from '../../bench/shapes.js';
import { caseInputs } from '../support/cases.js';

/** Runs a benchmark once on the CPU device: its check, and its outputs. */
async function runOnce(entry: Entry) {
  const runner = new CpuRunner('cpu', 1);
  const values = await Promise.all(caseInputs(entry).map((input) => input.data()));
  const job = await runner.prepare(entry, values);
  await job.run(1);
  const outputs = await job.outputs();
  return { job, outputs, check: checkOf(entry, values, costOf(entry)) };
}

function entryOf(operationName: string, shape: string): Entry {
  const entry = entries.find(({ operation, name }) => operation.name === operationName && name === shape);
  if (!entry) throw new Error(`there is no ${operationName} ${shape}`);
  return entry;
}

for (const [operation, shape] of [
  ['matmul', 'mynetDense1'],
  ['softmaxCrossEntropy', 'imagenet'],
  ['sgdMomentumUpdate', 'mynetDense1'],
] as const) {
  test(`the check of ${operation} ${shape} passes what the CPU computes, and finds one wrong element`, async (t) => {
    const { outputs, check } = await runOnce(entryOf(operation, shape));
    t.equal(check(outputs), undefined);
    const [first] = outputs;
    if (first) first[first.length - 1] = (first.at(-1) ?? 0) + 0.1;
    t.match(check(outputs) ?? '', /output 0: element/);
  });
}

test('of a large product a few rows are compared, the first and the last among them, whichever operand is transposed', async (t) => {
  const { operation } = entryOf('matmul', 'cube512');
  for (const transposeA of [false, true]) {
    const [M, N, K] = [1000, 512, 512];
    const inputs = [{ shape: transposeA ? [K, M] : [M, K] }, { shape: [K, N] }];
    const large: Entry = { operation, name: 'large', inputs, attributes: { transposeA, transposeB: false } };
    const { outputs, check } = await runOnce(large);
    t.equal(check(outputs), undefined, transposeA ? 'A transposed' : 'plain');
    for (const element of [N - 1, M * N - 1]) {
      const broken = outputs.map((output) => output.slice());
      if (broken[0]) broken[0][element] = 1000;
      t.ok(check(broken), `element ${element} is wrong`);
    }
  }
});

test('the job of a benchmark says what computes it', async (t) => {
  t.equal((await runOnce(entryOf('matmul', 'mynetDense2'))).job.kernel, 'simd');
  t.equal((await runOnce(entryOf('randomNormal', 'vector'))).job.kernel, 'reference');
});
