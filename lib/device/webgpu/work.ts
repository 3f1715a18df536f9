import { elementAt } from '../../element-at.js';
import type { Kernel, Launch } from '../../graph/launch.js';
import type { Placed, Step } from '../../graph/program.js';
import type { BindingAccess } from './pipelines.js';

/** What a kernel finds at a binding. */
export type Resource =
  | { readonly kind: 'tensor'; readonly placed: Placed }
  | { readonly kind: 'scratch'; readonly bytes: number }
  | Uniforms;

/** Numbers that a kernel is given once and for all. */
export interface Uniforms {
  readonly kind: 'uniforms';
  readonly bytes: Uint8Array;
}

/** A binding of a kernel, and what lies there. */
export type Bound = BindingAccess & { readonly resource: Resource };

/** A dispatch of a program before its pipeline and its buffers exist. */
export interface Work {
  /** The operations that it is for. */
  readonly operations: readonly string[];
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  readonly bindings: readonly Bound[];
  readonly workgroups: readonly [number, number, number];
}

/** The bindings of a launch: inputs are read, outputs and scratch read and written, the uniforms come last. */
export function accessOf({ bindings, uniformsAt }: Launch): readonly BindingAccess[] {
  return [
    ...bindings.map((binding, i): BindingAccess => ({
      at: binding.at ?? i,
      access: 'output' in binding || ('scratch' in binding && binding.scratch === 'write') ? 'write' : 'read',
    })),
    { at: uniformsAt ?? bindings.length, access: 'uniform' },
  ];
}

/** A launch of a step with what it binds. The launches of a step share so much scratch. */
export function workOf(step: Step, launch: Launch, scratchBytes: number): Work {
  const { kernel, constants = {}, bindings, uniforms, workgroups } = launch;
  const resources = bindings.map((binding): Resource => {
    if ('scratch' in binding) return { kind: 'scratch', bytes: scratchBytes };
    const placed = 'output' in binding ? step.outputs[binding.output] : step.inputs[binding.input];
    if (!placed) throw new Error(`${step.operation.name} binds a tensor that it does not have`);
    return { kind: 'tensor', placed };
  });
  const all: readonly Resource[] = [...resources, { kind: 'uniforms', bytes: uniforms }];
  return {
    operations: [step.operation.name],
    kernel,
    constants,
    bindings: accessOf(launch).map((own, i) => ({ ...own, resource: elementAt(all, i) })),
    workgroups,
  };
}
