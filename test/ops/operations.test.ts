import test from 'tape';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device } from '../../lib/device/device.js';
import { gradient } from '../../lib/graph/gradient.js';
import { apply } from '../../lib/graph/node.js';
import type { NumericArray, Operation } from '../../lib/graph/operation.js';
import { operations } from '../../lib/ops/index.js';
import { multiply } from '../../lib/ops/arithmetic.js';
import { sum } from '../../lib/ops/reduce.js';
import { RandomStream } from '../../lib/random.js';
import { run } from '../../lib/evaluate.js';
import { tensor, type Tensor } from '../../lib/tensor.js';
import { Variable } from '../../lib/variable.js';
import { caseInputs, describeCase } from '../support/cases.js';
import { differs } from '../support/close.js';
import { webgpu } from '../support/webgpu.js';

type Case = Operation['cases'][number];

const cpu = new CpuDevice({ reason: 'test' });
const float64 = new CpuDevice({ reason: 'test', float64: true });

async function outputsOf(operation: Operation, { attributes }: Case, inputs: readonly Tensor[], device: Device): Promise<NumericArray[]> {
  // What an operation writes over must live in a variable.
  const sources = inputs.map((input, i) => (operation.writes?.includes(i) ? new Variable(`input ${i}`, input) : input));
  const results = await run(
    () => apply(operation, sources.map((source) => (source instanceof Variable ? source.value : source)), attributes),
    { device },
  );
  return Promise.all(results.map((result) => result.data()));
}

for (const operation of operations) {
  for (const setting of operation.cases) {
    test(`${operation.name} ${describeCase(setting)} agrees with the reference on webgpu`, async (t) => {
      const inputs = caseInputs(setting);
      const expected = await outputsOf(operation, setting, inputs, cpu);
      const got = await outputsOf(operation, setting, inputs, await webgpu());
      expected.forEach((values, i) => {
        t.equal(differs(got[i] ?? new Float32Array(0), values, operation.tolerance), undefined, `output ${i}`);
      });
    });

    if (typeof operation.gradient === 'function') {
      test(`${operation.name} ${describeCase(setting)} has the gradient of finite differences`, async (t) => {
        await checkGradient(t, operation, setting);
      });
    }
  }
}

/** Central differences of Σ upstream · output in float64, at up to 24 elements of each float input. */
async function checkGradient(t: test.Test, operation: Operation, setting: Case): Promise<void> {
  const inputs = caseInputs(setting);
  const isFloat = inputs.map((input) => input.dtype === 'f32');
  // A differentiable operation may have inputs that are data (targets, weights): their gradient is not asked for.
  const asked = inputs.filter((_, i) => isFloat[i] && isDifferentiable(operation, inputs, setting, i));
  const objective = (values: readonly Tensor[]): Tensor => {
    const outputs = apply(operation, values, setting.attributes);
    const [first] = outputs;
    if (!first) throw new Error('no output');
    return sum(multiply(first, tensor(new RandomStream(3, 'upstream').normal(first.size), { shape: first.shape })));
  };
  const gradients = await run(() => gradient(objective(inputs), asked), { device: float64 });
  for (const [a, input] of asked.entries()) {
    const analytic = (await gradients[a]?.data()) ?? [];
    const base = Float64Array.from(await input.data());
    const positions = Array.from({ length: Math.min(24, base.length) }, (_, i) => Math.floor((i * base.length) / 24));
    const step = 1e-5;
    for (const position of new Set(positions)) {
      const at = async (value: number): Promise<number> => {
        const moved = base.slice();
        moved[position] = value;
        const values = inputs.map((other) => (other === input ? raw(moved, input) : other));
        return (await run(() => ({ value: objective(values) }), { device: float64 })).value.item();
      };
      const center = base[position] ?? 0;
      const numeric = ((await at(center + step)) - (await at(center - step))) / (2 * step);
      const error = Math.abs(numeric - (analytic[position] ?? NaN));
      if (!(error <= 1e-6 + 1e-6 * Math.abs(numeric))) {
        t.fail(`d/d input[${position}] is ${analytic[position]}, by finite differences ${numeric}`);
        return;
      }
    }
  }
  t.pass('all checked elements agree');
}

/** A tensor that keeps float64 values, as the float64 device stores them. */
function raw(values: Float64Array, like: Tensor): Tensor {
  const moved = tensor(new Float32Array(values.length), { shape: like.shape });
  moved.origin = { kind: 'constant', data: values };
  return moved;
}

function isDifferentiable(operation: Operation, inputs: readonly Tensor[], { attributes }: Case, index: number): boolean {
  if (typeof operation.gradient !== 'function') return false;
  const outputs = apply(operation, inputs, attributes);
  const upstream = outputs.map((output) => tensor(new Float32Array(output.size), { shape: output.shape }));
  const needs = inputs.map((_, i) => i === index);
  return operation.gradient({ inputs, outputs, attributes, needs, outputGradients: upstream })[index] !== undefined;
}
