import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { CompiledFunction } from '../../lib/index.js';
import type { TensorTree } from '../../lib/tree.js';
import { targetOf } from './targets.js';

/** The references, with programs fused as on a GPU: each fused operation runs the references of its parts. */
export function fusingCpu(maxStorageBuffers = 8): CpuDevice {
  class FusingDevice extends CpuDevice {
    override get fusion() {
      return { kernels: 'wgsl' as const, maxStorageBuffers };
    }
  }
  return new FusingDevice({ reason: 'test' });
}

/** Names of the steps of a compiled function, in all its plans. */
export function stepsOf(compiled: Pick<CompiledFunction<TensorTree>, 'plans'>): string[] {
  return compiled.plans().flatMap(({ program }) => program.steps.map(({ operation }) => operation.name));
}

/** How many buffers each launch of the fused steps of a compiled function binds, uniforms apart. */
export function fusedBindings(compiled: Pick<CompiledFunction<TensorTree>, 'plans'>): number[] {
  const steps = compiled.plans().flatMap(({ program }) => program.steps);
  return steps
    .filter(({ operation }) => operation.name.includes('+'))
    .flatMap((step) => step.operation.kernel(step, targetOf(true)).map(({ bindings }) => bindings.length));
}
