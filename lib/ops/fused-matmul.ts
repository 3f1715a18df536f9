import {
  epilogueActivationWgsl,
  epilogueBiasWgsl,
  epilogueDropoutWgsl,
  epilogueSgdWgsl,
  epilogueTapWgsl,
  philoxWgsl,
  pointwiseWgsl,
} from '../generated/wgsl.js';
import { type Fusion, type FusionCall, variableOf } from '../graph/fuse.js';
import type { Binding } from '../graph/launch.js';
import { createNode } from '../graph/node.js';
import { type ArrayView, type Attributes, attributesText, type Operation } from '../graph/operation.js';
import { formatShape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { type MatmulAttributes, matmulLaunch, variantFor } from './matmul-kernels.js';
import { matmulOperation } from './matmul.js';

/** What a stage does. Its WGSL file has one set of bindings and overrides: of one file, a chain holds one stage. */
export type StageKind = 'bias' | 'activation' | 'activationGradient' | 'dropout' | 'sgd';

/** An operation that is carried out on each element of a product before it is stored. */
export interface Stage {
  readonly kind: StageKind;
  /** The operation it stands for: its name, and its reference. */
  readonly operation: Operation;
  readonly attributes: Attributes;
  /** Which of the operation's inputs is the value that comes from the product. */
  readonly position: number;
  /** The operation's other inputs that the kernel reads, and the numbers of their bindings. */
  readonly reads: readonly { readonly input: number; readonly at: number }[];
  /** Numbers of the bindings of the operation's outputs where they are written in place; the product's own is 2. */
  readonly writesAt?: readonly number[];
  /** WGSL: an expression of `value`, `row` and `column`. */
  readonly expression: string;
  /** Values of the WGSL file's overrides. */
  readonly constants: Readonly<Record<string, number>>;
}

/** A product with its stages. `tap` counts the stages before the point whose value is a second output; -1: none. */
interface Chain {
  readonly stages: readonly Stage[];
  readonly tap: number;
}

const FILES: Readonly<Record<StageKind, string>> = {
  bias: epilogueBiasWgsl,
  activation: epilogueActivationWgsl,
  activationGradient: epilogueActivationWgsl,
  dropout: epilogueDropoutWgsl,
  sgd: epilogueSgdWgsl,
};
const TAP_AT = 7;

/** The chains of the operations made here, and those operations, by what is in them. */
const chains = new WeakMap<Operation, Chain>();
const known = new Map<string, Operation<MatmulAttributes>>();

/**
 * Joins a use of an operation with the matrix product that computes its input, where that product has no batch axes and
 * nobody else uses it. An activation may leave its input to others (its own backward pass): it becomes a second output.
 */
export function fuseIntoMatmul(call: FusionCall<Attributes>, stage: Stage): Fusion | undefined {
  const value = call.inputs[stage.position];
  if (value?.origin.kind !== 'node' || value.origin.index !== 0 || value.rank !== 2) return undefined;
  const product = value.origin.node;
  const chain = product.operation === matmulOperation ? { stages: [], tap: -1 } : chains.get(product.operation);
  if (!chain || sizeOf(value.shape) === 0 || !call.canMoveHere(product)) return undefined;
  if (chain.stages.some(({ kind }) => kind === 'sgd' || FILES[kind] === FILES[stage.kind])) return undefined;
  const isShared = call.uses(value) > 1;
  if (isShared && (stage.kind !== 'activation' || chain.tap >= 0)) return undefined;
  if (stage.kind === 'sgd' && chain.tap >= 0) return undefined;
  const others = call.inputs.filter((_, i) => i !== stage.position);
  // One dispatch may not read what it writes: an update of a weight that the product itself reads stays on its own.
  const written = new Set((stage.operation.writes ?? []).map((input) => variableAt(call.inputs, input)));
  const isWritten = (variable: Variable | undefined): boolean => variable !== undefined && written.has(variable);
  if (product.inputs.some((input) => isWritten(variableOf(input)))) return undefined;

  const tap = isShared ? chain.stages.length : chain.tap;
  const operation = chainOperation({ stages: [...chain.stages, stage], tap });
  const specs = tap < 0 ? call.node.specs : [...call.node.specs, value];
  const outputs = createNode({
    operation,
    attributes: product.attributes,
    inputs: [...product.inputs, ...others],
    specs,
    trace: call.node.trace,
  });
  const tapped = outputs[call.node.specs.length];
  if (!tapped) return { outputs };
  const before = isShared ? value : call.output(product, product.specs.length - 1);
  return { outputs: outputs.slice(0, call.node.specs.length), replaces: [[before, tapped]] };
}

function variableAt(inputs: readonly Tensor[], index: number): Variable | undefined {
  const input = inputs[index];
  return input && variableOf(input);
}

/** The operation of a chain: made once, so that equal chains share their pipelines. */
function chainOperation(chain: Chain): Operation<MatmulAttributes> {
  const parts = chain.stages.map(({ operation, attributes }) => operation.name + attributesText(attributes));
  const key = [chain.tap, ...parts].join('\n');
  const operation = known.get(key) ?? makeOperation(chain);
  known.set(key, operation);
  chains.set(operation, chain);
  return operation;
}

function makeOperation({ stages, tap }: Chain): Operation<MatmulAttributes> {
  const last = stages.at(-1);
  const writes = last?.operation.writes?.map((input) => inputOf(stages, stages.length - 1, input));
  return {
    name: ['matmul', ...stages.map(({ operation }) => operation.name)].join(' + '),
    infer([a, b]) {
      throw new Error(
        `a fused product of ${formatShape(a?.shape ?? [])} and ${formatShape(b?.shape ?? [])} is made of parts`,
      );
    },
    reference({ inputs, outputs, attributes }) {
      const [a, b] = inputs;
      const result = outputs[0];
      if (!a || !b || !result) return;
      const fresh = (): ArrayView => ({ data: new Float32Array(sizeOf(result.shape)), shape: result.shape });
      let value = fresh();
      matmulOperation.reference({ inputs: [a, b], outputs: [value], attributes });
      stages.forEach((stage, s) => {
        if (s === tap) outputs[1]?.data.set(value.data);
        const isLast = s === stages.length - 1;
        const next = fresh();
        const own = Array.from({ length: stage.reads.length + 1 + (stage.writesAt?.length ?? 0) }, (_, i) =>
          i === stage.position ? value : inputs[inputOf(stages, s, i)],
        ).filter((view) => view !== undefined);
        stage.operation.reference({ inputs: own, outputs: isLast ? outputs : [next], attributes: stage.attributes });
        value = next;
      });
    },
    kernel({ inputs: [a, b], attributes }, target) {
      const [shapeA, shapeB] = [a?.shape ?? [], b?.shape ?? []];
      const variant = variantFor(shapeA, shapeB, attributes, target);
      const reads = stages.flatMap((stage, s) =>
        stage.reads.map(({ input, at }): Binding => ({ input: inputOf(stages, s, input), at })),
      );
      const writesAt = last?.writesAt?.slice(1).map((at, i): Binding => ({ output: i + 1, at })) ?? [];
      const tapped: Binding[] = tap < 0 ? [] : [{ output: 1, at: TAP_AT }];
      return [
        matmulLaunch(shapeA, shapeB, attributes, variant, {
          code: epilogueCode({ stages, tap }),
          bindings: [...reads, ...writesAt, ...tapped],
          constants: Object.assign({}, ...stages.map(({ constants }) => constants)) as Record<string, number>,
        }),
      ];
    },
    gradient: { none: 'fused operations come after differentiation' },
    ...(writes && { writes }),
    tolerance: matmulOperation.tolerance,
    cases: [],
  };
}

/** Where input `input` of stage `s` stands among the inputs of the chain: behind a, b and the inputs of earlier stages. */
function inputOf(stages: readonly Stage[], s: number, input: number): number {
  const before = stages.slice(0, s).reduce((count, stage) => count + inputCount(stage) - 1, 2);
  return before + input - Number(input > (stages[s]?.position ?? 0));
}

function inputCount({ reads, writesAt = [] }: Stage): number {
  return 1 + reads.length + writesAt.length;
}

/** The block `epilogue` of kernels/matmul_common.wgsl: the stages' files, and a function that calls them in order. */
function epilogueCode({ stages, tap }: Chain): string {
  const files = new Set(stages.map(({ kind }) => FILES[kind]));
  const lines = stages.flatMap(({ expression }, s) => [
    ...(s === tap ? ['  value = tap(value, row, column);'] : []),
    `  value = ${expression};`,
  ]);
  return [
    ...(stages.some(({ kind }) => kind.startsWith('activation')) ? [pointwiseWgsl] : []),
    ...(stages.some(({ kind }) => kind === 'dropout') ? [philoxWgsl] : []),
    ...(tap < 0 ? [] : [epilogueTapWgsl]),
    ...files,
    'fn finish(product: f32, row: u32, column: u32) -> f32 {',
    '  var value = product;',
    ...lines,
    '  return value;',
    '}',
  ].join('\n');
}
