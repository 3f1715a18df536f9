import { TrainingStep } from '../../bench/step/training-step.js';
import { DROPOUT, makeWorkload } from '../../bench/step/workload.js';
import type { KernelTarget, Launch } from '../../lib/graph/launch.js';
import type { Call, Attributes, Operation, OperationCase } from '../../lib/graph/operation.js';
import { formatShape, sizeOf } from '../../lib/shape.js';
import { fusingCpu } from '../../test/support/fusing.js';

/** An operation at the sizes that kernels are wanted for. */
export interface Use extends Call<Attributes> {
  readonly operation: Operation;
}

/** A launch, and which operation it belongs to, at which sizes. */
export interface PrintedLaunch {
  readonly launch: Launch;
  readonly operation: string;
  readonly inputs: readonly string[];
}

/** An operation as a case or a benchmark has it. */
export function useOf({ operation, ...setting }: { readonly operation: Operation } & OperationCase<Attributes>): Use {
  const inputs = setting.inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
  const { attributes } = setting;
  return { operation, inputs, outputs: operation.infer(inputs, attributes), attributes };
}

/** The steps of MyNet's training step, fused for such an adapter. It runs once, on the references. */
export async function usesOfMyNet({ limits }: KernelTarget): Promise<readonly Use[]> {
  const step = new TrainingStep(fusingCpu(limits.maxStorageBuffersPerShaderStage), makeWorkload(), DROPOUT);
  await step.run(1);
  const uses = step.plans().flatMap(({ program }) => program.steps);
  step.dispose();
  return uses;
}

/** The names of the operations that a fused one is made of; of another one, its own. */
export function partsOf({ name }: Operation): readonly string[] {
  return name.split(' + ');
}

/** What is launched for an operation: by its own choice, or in all the ways that tuning chooses from. */
export function launchesOf(use: Use, target: KernelTarget, hasVariants: boolean): readonly PrintedLaunch[] {
  const { operation, inputs, outputs } = use;
  if (operation.alias || outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
  const variants = hasVariants ? operation.variants?.(use, target).flatMap(({ launches }) => launches) : undefined;
  return (variants ?? operation.kernel(use, target)).map((launch) => ({
    launch,
    operation: operation.name,
    inputs: inputs.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`),
  }));
}
