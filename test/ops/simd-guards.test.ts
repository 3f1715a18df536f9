/** Every SIMD kernel between guard words, its tasks in the opposite order, called by a runner other than the device's own. */
import test from 'tape';
import type { NumericArray, Operation, TensorSpec } from '../../lib/graph/operation.js';
import { heapWords, type SimdArgument } from '../../lib/graph/simd.js';
import { operations } from '../../lib/ops/index.js';
import { sizeOf } from '../../lib/shape.js';
import { arrayOf } from '../../lib/tensor.js';
import { type Case, caseInputs, describeCase } from '../support/cases.js';
import { differs } from '../support/close.js';
import { packBytes, referenceOf } from '../support/guarded.js';
import { callSimd, memory } from '../support/simd-call.js';

const GUARD_WORDS = 16;
const GUARD = 0xdeadbeef;
/** A NaN behind every input and in the scratch memory: what reads it shows in the results. */
const POISON = 0x7fc00bad;
/** Words of scratch memory, at the end, and of shared memory, in front of it. */
const SCRATCH_WORDS = 2 ** 18;
const SHARED_WORDS = 2 ** 16;

/** Outputs of a case and the guard words that were overwritten; undefined where the reference runs. */
async function runGuarded(operation: Operation, setting: Case) {
  const inputs = caseInputs(setting);
  const outputs = operation.infer(inputs, setting.attributes);
  const isEmpty = outputs.every(({ shape }) => sizeOf(shape) === 0);
  const phases = isEmpty ? [] : operation.simd?.({ inputs, outputs, attributes: setting.attributes });
  if (!phases) return undefined;

  const words = new Uint32Array(memory.buffer);
  words.fill(GUARD).fill(POISON, words.length - SCRATCH_WORDS - SHARED_WORDS);
  let end = 0;
  /** [guard | tensor | guard], not filled up to anything; returns the tensor's first word. */
  const place = (spec: TensorSpec, values: NumericArray | undefined, isWritten: boolean): number => {
    const count = heapWords(spec);
    const start = Math.ceil((end + GUARD_WORDS) / GUARD_WORDS) * GUARD_WORDS;
    end = start + count;
    if (!isWritten) words.fill(POISON, start - GUARD_WORDS, end + GUARD_WORDS);
    if (values instanceof Uint8Array) words.set(packBytes(values), start);
    else if (values) words.set(new Uint32Array(values.buffer, values.byteOffset, values.length), start);
    end += GUARD_WORDS;
    return start;
  };
  const values = await Promise.all(inputs.map((input) => input.data()));
  const sources = inputs.map((input, i) => place(input, values[i], operation.writes?.includes(i) ?? false));
  const targets = outputs.map((spec, i) => {
    const inPlace = operation.writes?.[i];
    return inPlace === undefined ? place(spec, undefined, true) : (sources[inPlace] ?? 0);
  });
  const address = (argument: SimdArgument): number => {
    if (typeof argument === 'number') return argument;
    const start =
      'scratch' in argument
        ? words.length - SCRATCH_WORDS
        : 'shared' in argument
          ? words.length - SCRATCH_WORDS - SHARED_WORDS
          : 'input' in argument
            ? (sources[argument.input] ?? NaN)
            : (targets[argument.output] ?? NaN);
    return 4 * start + (argument.offset ?? 0);
  };
  for (const { tasks } of phases) {
    for (const task of [...tasks].reverse()) {
      for (const each of task) callSimd(each.kernel, each.arguments.map(address));
    }
  }

  const broken = targets.filter((start, i) => {
    const stop = start + heapWords(outputs[i] ?? { shape: [], dtype: 'f32' });
    const guards = [...words.subarray(start - GUARD_WORDS, start), ...words.subarray(stop, stop + GUARD_WORDS)];
    return guards.some((word) => word !== GUARD);
  });
  const results = outputs.map(({ shape, dtype }, i) => {
    const own = words.slice(targets[i] ?? 0, (targets[i] ?? 0) + heapWords({ shape, dtype }));
    if (dtype === 'u8') return new Uint8Array(own.buffer, 0, sizeOf(shape));
    return dtype === 'f32' || dtype === 'f16' ? new Float32Array(own.buffer) : arrayOf(dtype, own);
  });
  return { results, broken };
}

for (const operation of operations) {
  if (!operation.simd) continue;
  test(`${operation.name} on SIMD writes all of its output and nothing beside it`, async (t) => {
    for (const setting of operation.cases) {
      const ran = await runGuarded(operation, setting);
      if (!ran) continue; // for these sizes the operation says that the reference runs
      t.deepEqual(ran.broken, [], `guards of ${describeCase(setting)}`);
      for (const [i, expected] of (await referenceOf(operation, setting)).entries()) {
        const got = ran.results[i];
        const difference = got ? differs(got, expected, operation.tolerance) : 'no output';
        t.equal(difference, undefined, `output ${i} of ${describeCase(setting)}`);
      }
    }
  });
}
