import fc from 'fast-check';
import type { Attributes, NumericArray } from '../../lib/graph/operation.js';
import { buildProgram, type Place, type Program } from '../../lib/graph/program.js';
import {
  add,
  broadcastTo,
  concat,
  matmul,
  max,
  multiply,
  relu,
  reshape,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../../lib/index.js';
import { sizeOf } from '../../lib/shape.js';

/** A random graph on 3 x 4 matrices, and which of its tensors are its results. */
export interface RandomGraph {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
}

/** Each makes a [3, 4] matrix of two others, by one operation or through aliases, other shapes and reductions. */
const BUILDERS: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => add(a, b),
  (a, b) => multiply(a, relu(b)),
  (a) => reshape(softmax(reshape(a, [4, 3])), [3, 4]),
  (a, b) => matmul(softmax(matmul(a, b, { transposeB: true })), a),
  (a, b) => add(a, max(b, { axes: 0, keepDims: true })),
  (a, b) => slice(concat([a, b], { axis: 0 }), [1], [4]),
  (a, b) => multiply(transpose(reshape(a, [4, 3])), sum(b)),
  (a) => broadcastTo(sum(a, { axes: 1, keepDims: true }), [3, 4]),
];

export const randomGraphs: fc.Arbitrary<RandomGraph> = fc
  .record({
    steps: fc.array(fc.tuple(fc.nat(BUILDERS.length - 1), fc.nat(), fc.nat()), { minLength: 1, maxLength: 14 }),
    results: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  })
  .map(({ steps, results }) => {
    const inputs = [0, 1].map((seed) =>
      tensor(
        Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 5 * seed)),
        { shape: [3, 4] },
      ),
    );
    const pool = [...inputs];
    const pick = (choice: number): Tensor => pool[choice % pool.length] ?? tensor(0);
    for (const [builder, a, b] of steps) pool.push((BUILDERS[builder] ?? add)(pick(a), pick(b)));
    const computed = pool.slice(2);
    return { inputs, outputs: results.map((choice) => computed[choice % computed.length] ?? tensor(0)) };
  });

/** The program of a graph, as a plan makes it. */
export function programOf({ outputs, inputs }: RandomGraph): Program {
  return buildProgram(outputs, inputs, undefined);
}

/** A tensor computed by its definition, without any plan: every operation into fresh memory. */
export function evaluateNaively(value: Tensor, known = new Map<unknown, readonly NumericArray[]>()): NumericArray {
  const { origin } = value;
  if (origin.kind === 'constant') return origin.data;
  if (origin.kind !== 'node') throw new Error(`a ${origin.kind} has no known value`);
  const { operation, inputs, specs, attributes } = origin.node;
  const sources = inputs.map((input) => ({ shape: input.shape, data: evaluateNaively(input, known) }));
  if (operation.alias) return sources[0]?.data ?? new Float32Array(0);
  const outputs =
    known.get(origin.node) ?? computeOnce(operation.reference.bind(operation), sources, specs, attributes);
  known.set(origin.node, outputs);
  return outputs[origin.index] ?? new Float32Array(0);
}

function computeOnce(
  reference: (call: { inputs: View[]; outputs: View[]; attributes: Attributes }) => void,
  inputs: View[],
  specs: readonly { readonly shape: readonly number[] }[],
  attributes: Attributes,
): NumericArray[] {
  const outputs = specs.map(({ shape }) => ({ shape, data: new Float32Array(sizeOf(shape)) }));
  reference({ inputs, outputs, attributes });
  return outputs.map(({ data }) => data);
}

interface View {
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

/** One text for each place. */
export function placeName({ kind, index }: Place): string {
  return `${kind} ${index}`;
}
