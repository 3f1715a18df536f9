import { type GraphNode, outputKey } from '../../../lib/graph/node.js';
import { nodesBefore } from '../../../lib/graph/nodes.js';
import type { NumericArray } from '../../../lib/graph/operation.js';
import { record } from '../../../lib/graph/trace.js';
import { Tensor, type Variable } from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { sizeOf } from '../../../lib/shape.js';
import { arrayOf } from '../../../lib/tensor.js';

/**
 * How a graph is computed by its definition. In `f32` each operation's reference rounds its results, as a device does. In
 * `f64` it does not, and nothing becomes a 16-bit float; with `noise` such floats are rounded, and each result that a
 * float32 cannot hold is moved by about what a kernel may be off, to either side: how far the outcomes of such runs are
 * apart tells how far a right device may be from the first one.
 */
export type Arithmetic = { readonly kind: 'f32' } | { readonly kind: 'f64'; readonly noise?: number };

/** Of the largest number of a tensor. */
const NOISE = 4e-6;

/** The values of a graph's tensors: those of its leaves are given, those of its nodes computed. */
export class Values {
  readonly #leaves = new Map<Tensor | Variable, { readonly leaf: Tensor; readonly values: NumericArray }>();
  readonly #computed = new Map<string, NumericArray>();

  /** Values that are known, whatever they would be computed from. */
  set(tensor: Tensor, values: NumericArray): this {
    const { origin } = tensor;
    if (origin.kind === 'node') this.#computed.set(outputKey(origin.node, origin.index), values);
    else this.#leaves.set(origin.kind === 'variable' ? origin.variable : tensor, { leaf: tensor, values });
    return this;
  }

  get(tensor: Tensor): NumericArray {
    const { origin } = tensor;
    if (origin.kind === 'node') return this.#need(this.#computed.get(outputKey(origin.node, origin.index)), tensor);
    const known = this.#leaves.get(origin.kind === 'variable' ? origin.variable : tensor);
    return known?.values ?? this.#need(origin.kind === 'constant' ? origin.data : undefined, tensor);
  }

  /** The leaves whose values were given, and those. */
  leaves(): (readonly [Tensor, NumericArray])[] {
    return [...this.#leaves.values()].map(({ leaf, values }) => [leaf, values]);
  }

  /** Computes nodes in the order of their creation, each into memory of its own, but for what is known. */
  compute(nodes: readonly GraphNode[], arithmetic: Arithmetic): this {
    const isWide = arithmetic.kind === 'f64';
    const noise = isWide && arithmetic.noise !== undefined && new RandomStream(arithmetic.noise, 'noise');
    for (const node of nodes) {
      this.#outputsOf(node, arithmetic).forEach((values, index) => {
        const key = outputKey(node, index);
        if (this.#computed.has(key)) return;
        this.#computed.set(key, noise && values instanceof Float64Array ? disturb(values, noise) : values);
      });
    }
    return this;
  }

  #outputsOf({ operation, inputs, specs, attributes }: GraphNode, arithmetic: Arithmetic): NumericArray[] {
    const wide = arithmetic.kind === 'f32' ? [] : arithmetic.noise === undefined ? ['f32', 'f16'] : ['f32'];
    const sources = inputs.map((input) => ({ shape: input.shape, data: this.get(input) }));
    const [first] = sources;
    if (operation.alias && first) return [first.data];
    const outputs = specs.map(({ shape, dtype }, index) => {
      const before = sources[operation.writes?.[index] ?? -1]?.data;
      const start = before ?? { length: sizeOf(shape) };
      const data = wide.includes(dtype) ? Float64Array.from(start) : arrayOf(dtype, Array.from(start));
      return { shape, data };
    });
    operation.reference({ inputs: sources, outputs, attributes });
    return outputs.map(({ data }) => data);
  }

  #need(values: NumericArray | undefined, { origin }: Tensor): NumericArray {
    if (values) return values;
    throw new Error(`a tensor from ${origin.kind} has no value`);
  }
}

/** The values that the leaves of a recorded graph have at the beginning of a call. */
export async function leafValues(
  nodes: readonly GraphNode[],
  results: readonly Tensor[],
  inputs: readonly Tensor[],
): Promise<Values> {
  const values = new Values();
  for (const leaf of new Set([...nodes.flatMap((node) => node.inputs), ...results])) {
    const { origin } = leaf;
    if (origin.kind === 'variable') values.set(leaf, await origin.variable.data());
    const given = origin.kind === 'input' && inputs[origin.position];
    if (given) values.set(leaf, await given.data());
  }
  return values;
}

/**
 * Records a function and computes its results and its variables' new values by definition: no pass, no plan and no device
 * has a part in it.
 */
export async function callByDefinition(
  fn: (...inputs: Tensor[]) => Readonly<Record<string, Tensor>>,
  inputs: readonly Tensor[],
  arithmetic: Arithmetic,
): Promise<Record<string, Tensor>> {
  const { trace, result } = record(() => fn(...placeholdersFor(inputs)));
  trace.runBeforeReplay(1);
  const results = Object.entries(result);
  const updates = [...trace.updates];
  const nodes = nodesBefore([...results, ...updates].map(([, tensor]) => tensor));
  const values = await leafValues(nodes, Object.values(result), inputs);
  values.compute(nodes, arithmetic);
  for (const [variable, next] of updates) variable.set(values.get(next));
  return Object.fromEntries(
    results.map(([name, own]) => [name, new Tensor(own, { kind: 'constant', data: values.get(own) })]),
  );
}

/** Tensors that stand for inputs in a recording. */
export function placeholdersFor(inputs: readonly Pick<Tensor, 'shape' | 'dtype'>[]): Tensor[] {
  return inputs.map(({ shape, dtype }, position) => new Tensor({ shape, dtype }, { kind: 'input', position }));
}

function disturb(values: Float64Array, noise: RandomStream): Float64Array {
  const reach = NOISE * largest(values);
  const signs = noise.bits(values.length);
  return values.map((value, i) =>
    Math.fround(value) === value ? value : value + ((signs[i] ?? 0) % 2 === 0 ? reach : -reach),
  );
}

/** The largest absolute value. */
export function largest(values: NumericArray): number {
  let found = 0;
  for (const value of values) found = Math.max(found, Math.abs(value));
  return found;
}
