import { myNetStep } from '../../bench/step/mynet-step.js';
import { DROPOUT, makeWorkload } from '../../bench/step/workload.js';
import { Joiner } from '../../lib/device/webgpu/joining/joiner.js';
import { type Work, workOf } from '../../lib/device/webgpu/work.js';
import { type KernelTarget, scratchBytesOf } from '../../lib/graph/launch.js';
import type { Attributes, Operation, OperationCase } from '../../lib/graph/operation.js';
import type { Placed, Step } from '../../lib/graph/program.js';
import { sizeOf } from '../../lib/shape.js';
import { fusingCpu } from '../../test/support/fusing.js';

/** Uniform buffers that every adapter allows a kernel. */
const UNIFORM_BUFFERS = 12;

/** An operation as a case or a benchmark has it. */
export function stepOf({ operation, ...setting }: { readonly operation: Operation } & OperationCase<Attributes>): Step {
  const { attributes } = setting;
  const inputs = setting.inputs.map(({ shape, dtype = 'f32' }, index): Placed => ({
    ...{ shape, dtype },
    place: { kind: 'input', index },
  }));
  const outputs = operation.infer(inputs, attributes).map((spec, index): Placed => {
    const written = inputs[operation.writes?.[index] ?? -1];
    return { ...spec, place: written?.place ?? { kind: 'slot', index } };
  });
  return { operation, inputs, outputs, attributes };
}

/** The steps of MyNet's training step, fused for such an adapter. It runs once, on the references. */
export async function stepsOfMyNet({ limits }: KernelTarget): Promise<readonly Step[]> {
  const step = myNetStep(fusingCpu(limits.maxStorageBuffersPerShaderStage), makeWorkload(), DROPOUT);
  await step.run(1);
  const steps = step.plans().flatMap(({ program }) => program.steps);
  step.dispose();
  return steps;
}

/** What is launched for a step: by its operation's own choice, or in all the ways that tuning chooses from. */
export function worksOf(step: Step, target: KernelTarget, hasVariants: boolean): readonly Work[] {
  const { operation, outputs } = step;
  if (operation.alias || outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
  const variants = hasVariants ? operation.variants?.(step, target).map(({ launches }) => launches) : undefined;
  return (variants ?? [operation.kernel(step, target)]).flatMap((launches) =>
    launches.map((launch) => workOf(step, launch, scratchBytesOf(launches))),
  );
}

/** What such an adapter is given of the steps of a plan that is replayed: small launches are joined. */
export function joinedWorksOf(steps: readonly Step[], target: KernelTarget): readonly Work[] {
  const joiner = new Joiner({ ...target.limits, maxUniformBuffersPerShaderStage: UNIFORM_BUFFERS });
  return joiner.join(steps.flatMap((step) => worksOf(step, target, false)));
}
