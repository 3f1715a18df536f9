import { epilogueTapWgsl } from '../generated/wgsl.js';
import { type AbsorbCall, type Fusion, outputOf, type Stage, variableOf } from '../graph/fuse.js';
import type { Binding } from '../graph/launch.js';
import { createNode } from '../graph/node.js';
import { type ArrayView, type Attributes, attributesText, type Operation } from '../graph/operation.js';
import { formatShape, sizeOf } from '../shape.js';
import { type Epilogue, matmulLaunches, matmulVariants, variantFor } from './matmul-kernels.js';
import type { MatmulAttributes } from './matmul-sizes.js';

/** A stage with the operation that it stands for, whose reference it has. */
interface Link extends Stage {
  readonly operation: Operation;
  readonly attributes: Attributes;
}

/** A product with its stages. `tap` counts the stages before the point whose value is a second output; -1: none. */
interface Chain {
  /** The product itself. */
  readonly product: Operation<MatmulAttributes>;
  readonly stages: readonly Link[];
  readonly tap: number;
}

const TAP_AT = 7;

/** The chains of the operations made here, and those operations, by what is in them. */
const chains = new WeakMap<Operation, Chain>();
const known = new Map<string, Operation<MatmulAttributes>>();

/**
 * Joins a matrix product, or a chain that begins with one, with a stage behind it, where the product has no batch axes
 * and nobody else uses it. An activation may leave its input to others (its own backward pass): it becomes a second output.
 */
export function absorbStage(matmul: Operation<MatmulAttributes>, call: AbsorbCall): Fusion | undefined {
  const { stage, node, inputs, producer, value, isShared, canMoveHere } = call;
  const chain = chains.get(producer.operation) ?? { product: matmul, stages: [], tap: -1 };
  if (value.origin.kind !== 'node' || value.origin.index !== 0) return undefined;
  if (value.rank !== 2 || sizeOf(value.shape) === 0 || !canMoveHere) return undefined;
  if (chain.stages.some(({ code, writesAt }) => writesAt || code === stage.code)) return undefined;
  if (isShared && (!stage.keepsInput || chain.tap >= 0)) return undefined;
  if (stage.writesAt && chain.tap >= 0) return undefined;
  // One dispatch may not read what it writes: an update of a weight that the product itself reads stays on its own.
  const written = new Set((node.operation.writes ?? []).map((index) => inputs[index] && variableOf(inputs[index])));
  written.delete(undefined);
  if (producer.inputs.some((input) => written.has(variableOf(input)))) return undefined;

  const { operation: own, attributes } = node;
  const tap = isShared ? chain.stages.length : chain.tap;
  const others = inputs.filter((_, i) => i !== stage.position);
  const outputs = createNode({
    operation: chainOperation({ ...chain, stages: [...chain.stages, { ...stage, operation: own, attributes }], tap }),
    attributes: producer.attributes,
    inputs: [...producer.inputs, ...others],
    specs: tap < 0 ? node.specs : [...node.specs, value],
    trace: node.trace,
  });
  const tapped = outputs[node.specs.length];
  if (!tapped) return { outputs };
  const before = isShared ? value : outputOf(producer, producer.specs.length - 1);
  return { outputs: outputs.slice(0, node.specs.length), replaces: [[before, tapped]] };
}

/** The operation of a chain: made once, so that equal chains share their pipelines. */
function chainOperation(chain: Chain): Operation<MatmulAttributes> {
  const parts = chain.stages.map(({ operation, constants }) => operation.name + attributesText(constants));
  const key = [chain.tap, ...parts].join('\n');
  const operation = known.get(key) ?? makeOperation(chain);
  known.set(key, operation);
  chains.set(operation, chain);
  return operation;
}

function makeOperation({ product, stages, tap }: Chain): Operation<MatmulAttributes> {
  const last = stages.at(-1);
  const writes = last?.operation.writes?.map((input) => inputOf(stages, stages.length - 1, input));
  const epilogue = epilogueOf(stages, tap);
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
      product.reference({ inputs: [a, b], outputs: [value], attributes });
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
      return matmulLaunches(shapeA, shapeB, attributes, variant, epilogue);
    },
    variants: ({ inputs: [a, b], attributes }, target) =>
      matmulVariants(a?.shape ?? [], b?.shape ?? [], attributes, target, epilogue),
    gradient: { none: 'fused operations come after differentiation' },
    ...(writes && { writes }),
    tolerance: product.tolerance,
    absorb: (call) => absorbStage(product, call),
    cases: [],
  };
}

/** What the matmul kernel does to its elements: the code of the stages, and what they read and write. */
function epilogueOf(stages: readonly Link[], tap: number): Epilogue {
  const reads = stages.flatMap((stage, s) =>
    stage.reads.map(({ input, at }): Binding => ({ input: inputOf(stages, s, input), at })),
  );
  const writes =
    stages
      .at(-1)
      ?.writesAt?.slice(1)
      .map((at, i): Binding => ({ output: i + 1, at })) ?? [];
  const tapped: Binding[] = tap < 0 ? [] : [{ output: 1, at: TAP_AT }];
  return {
    code: epilogueCode(stages, tap),
    bindings: [...reads, ...writes, ...tapped],
    constants: Object.assign({}, ...stages.map(({ constants }) => constants)) as Record<string, number>,
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

/** The block `epilogue` of kernels/matmul_common.wgsl: what the stages need, and a function that calls them in order. */
function epilogueCode(stages: readonly Stage[], tap: number): string {
  const lines = stages.flatMap(({ expression }, s) => [
    ...(s === tap ? ['  value = tap(value, row, column);'] : []),
    `  value = ${expression};`,
  ]);
  return [
    ...(tap < 0 ? [] : [epilogueTapWgsl]),
    ...stages.map(({ code }) => code),
    'fn finish(product: f32, row: u32, column: u32) -> f32 {',
    '  var value = product;',
    ...lines,
    '  return value;',
    '}',
  ].join('\n');
}
