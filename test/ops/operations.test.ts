/** Walks the list of operations: each case on WebGPU against the reference, and each gradient by finite differences. */
import test from 'tape';
import { outputsOf } from '../../lib/command-line/doctor/self-test.js';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device } from '../../lib/device/device.js';
import { run } from '../../lib/run.js';
import { gradient } from '../../lib/graph/gradient.js';
import { apply } from '../../lib/graph/node.js';
import type { Operation } from '../../lib/graph/operation.js';
import { multiply } from '../../lib/ops/pointwise/arithmetic.js';
import { cast } from '../../lib/ops/pointwise/cast.js';
import { operations } from '../../lib/ops/index.js';
import { sum } from '../../lib/ops/reduce/sum.js';
import { RandomStream } from '../../lib/random.js';
import { tensor, type Tensor } from '../../lib/tensor.js';
import { type Case, caseInputs, describeCase } from '../support/cases.js';
import { differs } from '../support/close.js';
import { cpu, simd } from '../support/devices.js';
import { webgpu } from '../support/webgpu.js';

const float64 = new CpuDevice({ reason: 'test', path: 'float64' });

const DEVICES = [
  ['webgpu', webgpu],
  ['simd', () => Promise.resolve(simd)],
] as const;

for (const operation of operations) {
  for (const [name, open] of DEVICES) {
    if (name === 'simd' && !operation.simd) continue;
    test(`${operation.name} agrees with the reference on ${name}`, async (t) => {
      await checkDevice(t, operation, await open());
    });
  }

  if (typeof operation.gradient === 'function') {
    test(`${operation.name} has the gradient of finite differences`, async (t) => {
      for (const setting of operation.cases) {
        t.equal(await gradientError(operation, setting), undefined, describeCase(setting));
      }
    });
  }
}

/** Every output of every case within the operation's tolerance of the reference. */
async function checkDevice(t: test.Test, operation: Operation, device: Device): Promise<void> {
  const expected = await outputsOf(operation, cpu);
  const got = await outputsOf(operation, device);
  let position = 0;
  for (const setting of operation.cases) {
    const specs = operation.infer(caseInputs(setting), setting.attributes);
    for (const index of specs.keys()) {
      const [ours, reference] = [got[position], expected[position]];
      position++;
      const difference = ours && reference ? differs(ours, reference, operation.tolerance) : 'no output';
      t.equal(difference, undefined, `output ${index} of ${describeCase(setting)}`);
    }
  }
}

test('no two operations share a name', (t) => {
  const names = operations.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  t.end();
});

/**
 * Compares the gradient of Σ upstream · output with central differences in float64, along random directions through
 * all elements of each float input. In words where they differ.
 */
async function gradientError(operation: Operation, setting: Case): Promise<string | undefined> {
  const inputs = caseInputs(setting);
  const asked = inputs.filter((input, i) => input.dtype === 'f32' && isDifferentiable(operation, inputs, setting, i));
  const objective = (values: readonly Tensor[]): Tensor => {
    const [output] = apply(operation, values, setting.attributes);
    if (!output) throw new Error(`${operation.name} has no output`);
    return sum(multiply(cast(output, 'f32'), normalLike(output, 'upstream')));
  };
  const valueWith = async (input: Tensor, values: Float64Array): Promise<number> => {
    const moved = inputs.map((other) => (other === input ? inFloat64(values, input) : other));
    return (await run(() => objective(moved), { device: float64 })).item();
  };
  const gradients = await run(() => gradient(objective(inputs), asked), { device: float64 });
  const step = 1e-5;
  for (const [a, input] of asked.entries()) {
    const slopes = (await gradients[a]?.data()) ?? [];
    const base = await input.data();
    for (const name of ['first direction', 'second direction']) {
      const direction = new RandomStream(5, name).normal(base.length);
      const moved = (distance: number) => Float64Array.from(base, (value, i) => value + distance * (direction[i] ?? 0));
      const numeric = ((await valueWith(input, moved(step))) - (await valueWith(input, moved(-step)))) / (2 * step);
      const parts = Array.from(slopes, (slope, i) => slope * (direction[i] ?? 0));
      const analytic = parts.reduce((total, part) => total + part, 0);
      // The norm, not the sum of absolute values: among thousands of elements a single wrong one must still show.
      const allowed = 1e-6 * (1 + Math.hypot(...parts));
      if (!(Math.abs(numeric - analytic) <= allowed)) {
        return `along the ${name} of input ${inputs.indexOf(input)} the slope is ${analytic}, by differences ${numeric}`;
      }
    }
  }
  return undefined;
}

function normalLike(like: Tensor, name: string): Tensor {
  return tensor(new RandomStream(3, name).normal(like.size), { shape: like.shape });
}

/** A tensor that keeps float64 values, as the float64 device stores them. */
function inFloat64(data: Float64Array, like: Tensor): Tensor {
  const value = tensor(new Float32Array(data.length), { shape: like.shape });
  value.origin = { kind: 'constant', data };
  return value;
}

/** Inputs may be data (targets, class weights): an operation gives no gradient for them. */
function isDifferentiable(
  operation: Operation,
  inputs: readonly Tensor[],
  { attributes }: Case,
  index: number,
): boolean {
  if (typeof operation.gradient !== 'function') return false;
  const outputs = apply(operation, inputs, attributes);
  const outputGradients = outputs.map((output) => normalLike(output, 'upstream'));
  const needs = inputs.map((_, i) => i === index);
  return operation.gradient({ inputs, outputs, attributes, needs, outputGradients })[index] !== undefined;
}
