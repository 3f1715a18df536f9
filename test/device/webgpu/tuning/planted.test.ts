import test from 'tape';
import { trialsOf } from '../../../../lib/device/webgpu/tuning/trials.js';
import { Tuner } from '../../../../lib/device/webgpu/tuning/tuner.js';
import { elementAt } from '../../../../lib/element-at.js';
import type { KernelTarget, KernelVariant } from '../../../../lib/graph/launch.js';
import type { Attributes, Call, Operation } from '../../../../lib/graph/operation.js';
import type { Step } from '../../../../lib/graph/program.js';
import { compile, linear, Parameter, relu, SGD, sum, tensor } from '../../../../lib/index.js';
import { RandomStream } from '../../../../lib/random.js';
import { sizeOf } from '../../../../lib/shape.js';
import { webgpu } from '../../../support/webgpu.js';

/** A kernel that is quick because it computes nothing: half of one in each element. */
const PLANTED = `
@group(0) @binding(0) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<uniform> count: vec4u;

@compute @workgroup_size(64)
fn planted(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < count.x; i += 64u * workgroups.x) {
    output[i] = 0.5;
  }
}
`;

function planted(output: number, count: number): KernelVariant {
  return {
    name: 'planted',
    launches: [
      {
        kernel: { name: 'planted', code: PLANTED, entryPoint: 'planted' },
        bindings: [{ output }],
        uniforms: new Uint8Array(new Uint32Array([count, 0, 0, 0]).buffer),
        workgroups: [16, 1, 1],
      },
    ],
  };
}

/** Of a layer. */
interface Shape {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** The steps of a layer's training that have several variants, with one planted among them, which is wrong. */
async function stepsWithPlanted({ rows, inputs, outputs }: Shape): Promise<Step[]> {
  const device = await webgpu();
  const normal = (name: string, count: number) => new RandomStream(3, name).normal(count);
  const weight = new Parameter('weight', normal('weight', outputs * inputs), [outputs, inputs]);
  const train = compile(
    (x) => {
      const output = relu(linear(x, weight));
      new SGD({ learningRate: 0.1, momentum: 0.9 }).minimize(sum(output), [weight]);
      return output;
    },
    { device },
  );
  await train(tensor(normal('x', rows * inputs), { shape: [rows, inputs] }));
  const steps = train
    .plans()
    .flatMap(({ program }) => program.steps.filter(({ operation }) => 'variants' in operation));
  train.dispose();
  return steps.map((step) => ({ ...step, operation: withPlanted(step) }));
}

/** A step's operation, with a variant among its own that is wrong. */
function withPlanted({ operation, outputs }: Step): Operation {
  const variants = (call: Call<Attributes>, target: KernelTarget): readonly KernelVariant[] => {
    const [first, second] = operation.variants?.(call, target) ?? [];
    if (!first || !second) throw new Error(`${operation.name} has one variant`);
    return [first, planted(0, sizeOf(elementAt(outputs, 0).shape)), second];
  };
  return Object.create(operation, { variants: { value: variants } }) as Operation;
}

for (const { size, ...shape } of [
  { size: 'small products, compared whole', rows: 6, inputs: 8, outputs: 12 },
  { size: 'large products, of which a sample is compared', rows: 180, inputs: 768, outputs: 1000 },
]) {
  test(`a wrong variant that is planted is never taken: ${size}`, async (t) => {
    const device = await webgpu();
    const steps = await stepsWithPlanted(shape);
    t.equal(steps.length, 2);
    const tuner = new Tuner({ target: device.target, adapter: 'a test', trialsOf: (step) => trialsOf(device, step) });
    await tuner.prepare(steps);
    for (const { operation, variant, trials } of tuner.report.choices) {
      t.equal(trials['planted']?.outcome, 'wrong', operation);
      t.ok(variant !== 'planted' && trials[variant]?.outcome === 'taken', `${operation}: ${variant}`);
      const others = Object.values(trials).filter(({ outcome }) => outcome === 'wrong');
      t.equal(others.length, 1, tuner.report.warnings.join('; '));
    }
    t.equal(tuner.report.warnings.length, steps.length);
  });
}
