import type { KernelTarget, KernelVariant, Launch } from '../graph/launch.js';
import type { GraphNode } from '../graph/node.js';
import type {
  ArrayView,
  Attributes,
  Call,
  Operation,
  ReferenceCall,
  SampledElements,
  TensorSpec,
} from '../graph/operation.js';
import type { SimdPhase } from '../graph/simd.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import type { FusionTarget, Stage } from './stage.js';

/** In place of an input: the value that a stage works on. */
export const VALUE = -1;

/** A stage with the operation that it stands for, whose reference it has. */
export interface Link {
  readonly stage: Stage;
  readonly operation: Operation;
  readonly attributes: Attributes;
  /** Places of the operation's inputs among those of the chain; VALUE: the value itself. */
  readonly inputs: readonly number[];
  /** The shape of what comes out, as this operation sees it. */
  readonly shape: Shape;
  /** The value, as it is before this stage, is an output of its own. */
  readonly keepsInput: boolean;
}

/** An input of a host whose rows are picked from a table, which then is the input. */
export interface PickedRows {
  /** Place of the row numbers among the inputs of the chain. */
  readonly indices: number;
  /** What picked them, whose reference is run. */
  readonly operation: Operation;
  readonly attributes: Attributes;
  /** The shape that the host sees. */
  readonly shape: Shape;
}

/** An input of a host whose elements stages compute as they are read: the head of the chain. */
export interface Head {
  /** Place among the inputs of the chain: the one whose elements the first stage works on. */
  readonly from: number;
  readonly links: readonly Link[];
  /** The shape that the host sees. */
  readonly shape: Shape;
}

/** What an operation computes with all that is done beside it in one kernel: the whole of it, as data. */
export interface Chain {
  readonly host: Host;
  /** For each input of the host whether its rows are picked. */
  readonly rows: readonly (PickedRows | undefined)[];
  /** For each input of the host the stages in front of it, if any; left out, there are none. */
  readonly heads?: readonly (Head | undefined)[];
  /** For each output of the host, what becomes of it. */
  readonly sites: readonly (readonly Link[])[];
  /** Of a host that computes nothing itself: the input whose elements the values are. */
  readonly from?: number;
}

/** An operation into whose kernels stages are put. */
export interface Host {
  /** The operation itself, without anything beside it; undefined where stages are all there is. */
  readonly operation?: Operation;
  /** Operations that sites beside the operation's own outputs stand for. */
  beside?(chain: Chain): readonly Operation[];
  /** Whether its kernels can carry out the last stage of a site. */
  accepts(chain: Chain, site: number, use: Omit<Call<Attributes>, 'outputs'>, target: FusionTarget): boolean;
  /** Whether its kernels can carry out stages on the elements of its one input as they read them. Default: they cannot. */
  takesHead?(head: Head, use: Omit<Call<Attributes>, 'outputs'>, target: FusionTarget): boolean;
  /** Whether its kernels read 16-bit floats in place of f32, whichever input it is. Default false. */
  readonly readsFloat16?: boolean;
  /** Whether its kernels store what comes out at a site by fours, and so as 16-bit floats. Default: they do not. */
  storesFloat16?(chain: Chain, site: number, use: Omit<Call<Attributes>, 'outputs'>): boolean;
  /** Buffers that its kernel binds beside those of stages and outputs. */
  bindings(chain: Chain, attributes: Attributes): number;
  /** What comes out at each site, from the references of the parts. */
  reference(chain: Chain, call: Omit<ReferenceCall<Attributes>, 'outputs'>): readonly ArrayView[];
  /** The same, of the first site a few elements only: which. */
  sampledReference?(this: void, chain: Chain, call: Omit<ReferenceCall<Attributes>, 'outputs'>): SampledValues;
  kernel(this: void, chain: Chain, call: Call<Attributes>, target: KernelTarget): readonly Launch[];
  variants?(this: void, chain: Chain, call: Call<Attributes>, target: KernelTarget): readonly KernelVariant[];
  simd?(this: void, chain: Chain, call: Call<Attributes>): readonly SimdPhase[] | undefined;
}

/** Values at the sites of a chain, and which of the first site's they are. */
export interface SampledValues extends SampledElements {
  readonly values: readonly ArrayView[];
}

/** The operation of a node as a chain that others can be joined to; undefined where it is none. */
export function chainOf({ operation, inputs, specs, attributes }: GraphNode): Chain | undefined {
  return operation.chain?.({ inputs, outputs: specs, attributes });
}

/** What an output of a chain is: the end of a site, a value on its way there, or what its last stage writes in place. */
export type ChainOutput =
  | { readonly site: number; readonly kind: 'result' }
  | { readonly site: number; readonly kind: 'kept'; readonly link: number }
  | { readonly site: number; readonly kind: 'written'; readonly output: number; readonly input: number };

/** The outputs of a chain, in order. */
export function outputsOfChain({ sites }: Chain): ChainOutput[] {
  return sites.flatMap(outputsOfSite);
}

function outputsOfSite(links: readonly Link[], site: number): ChainOutput[] {
  const last = links.at(-1);
  const kept = links.flatMap((own, link): ChainOutput[] => (own.keepsInput ? [{ site, kind: 'kept', link }] : []));
  const written = last?.operation.writes?.map((input, output): ChainOutput => ({
    site,
    kind: 'written',
    output,
    input: last.inputs[input ?? -1] ?? VALUE,
  }));
  return [...(written ?? [{ site, kind: 'result' as const }]), ...kept];
}

/** Equal for outputs of two chains that stand for the same, one of which has another stage at its end. */
export function outputName(output: ChainOutput): string {
  const { site, kind } = output;
  return `${site} ${kind} ${kind === 'kept' ? output.link : kind === 'written' ? output.output : ''}`;
}

/** Buffers that stages read: an input counts once for each site and shape that it is read for. */
function operandsOf({ sites, heads = [], from }: Chain): number {
  const uses = [...sites, ...heads.map((head) => head?.links ?? [])].flatMap((links, site) =>
    links.flatMap(({ inputs, operation, stage, shape }) =>
      inputs.flatMap((place, i) => {
        if (place === VALUE || operation.writes?.includes(i)) return [];
        return [i === stage.words?.input ? `${place}` : [place, site, ...shape].join(' ')];
      }),
    ),
  );
  return new Set(uses).size + Number(from !== undefined) + heads.filter(Boolean).length;
}

/** The host's inputs, as it sees them. */
export function hostInputs({ rows, heads }: Chain, inputs: readonly TensorSpec[]): TensorSpec[] {
  return inputs.map(({ shape, dtype }, i) => ({ shape: heads?.[i]?.shape ?? rows[i]?.shape ?? shape, dtype }));
}

/** Buffers that the kernel of a chain binds. */
export function bindingsOf(chain: Chain, attributes: Attributes): number {
  return chain.host.bindings(chain, attributes) + operandsOf(chain) + outputsOfChain(chain).length;
}

/** The operation of a chain. Its reference runs the references of its parts, one after the other. */
export function chainOperation(chain: Chain): Operation {
  const { host } = chain;
  const { operation, sampledReference: sampled } = host;
  const outputs = outputsOfChain(chain);
  const writes = outputs.map((output) => (output.kind === 'written' ? output.input : undefined));
  const parts = (): readonly Operation[] => [
    ...new Set(chain.rows.flatMap((picked) => (picked ? [picked.operation] : []))),
    ...(chain.heads ?? []).flatMap((head) => head?.links.map((link) => link.operation) ?? []),
    ...(operation ? [operation] : []),
    ...(host.beside?.(chain) ?? []),
    ...chain.sites.flat().map((link) => link.operation),
  ];
  return {
    // Most chains only grow on: these are asked for of the last one.
    get name() {
      return parts()
        .map(({ name }) => name)
        .join(' + ');
    },
    get tolerance() {
      return parts().reduce((widest, { tolerance }) => wider(widest, tolerance), { absolute: 0, relative: 0 });
    },
    infer(inputs) {
      throw new Error(`a chain on ${inputs.map(({ shape }) => formatShape(shape)).join()} is made of parts`);
    },
    reference(call) {
      carryOut(chain, call, host.reference(chain, hostCall(chain, call)));
    },
    ...(sampled && {
      sampledReference(call: ReferenceCall<Attributes>) {
        const { values, ...elements } = sampled(chain, hostCall(chain, call));
        carryOut(chain, call, values);
        return elements;
      },
    }),
    kernel: (call, target) => host.kernel(chain, call, target),
    ...(host.variants && { variants: (call, target) => host.variants?.(chain, call, target) ?? [] }),
    simd: (call) => host.simd?.(chain, call),
    gradient: { unwritten: 'operations are joined after differentiation' },
    chain: () => chain,
    ...(operation?.fold && { fold: (call) => operation.fold?.(call) }),
    ...(operation?.join && { join: (call) => operation.join?.(call) }),
    ...(writes.some((input) => input !== undefined) && { writes }),
    cases: [],
    // What stages do beside it hardly counts.
    cost({ inputs, attributes }) {
      const { flop, terms } = operation?.cost?.({ inputs: hostInputs(chain, inputs), attributes }) ?? {};
      return { ...(flop !== undefined && { flop }), ...(terms !== undefined && { terms }) };
    },
  };
}

function wider(a: Operation['tolerance'], b: Operation['tolerance']): Operation['tolerance'] {
  return { absolute: Math.max(a.absolute, b.absolute), relative: Math.max(a.relative, b.relative) };
}

/** What the host's reference is given. */
function hostCall(
  chain: Chain,
  { inputs, attributes }: ReferenceCall<Attributes>,
): Omit<ReferenceCall<Attributes>, 'outputs'> {
  return {
    inputs: inputs.map((view, i) => {
      const head = chain.heads?.[i];
      return head ? headed(head, inputs) : rowsPicked(view, inputs, chain.rows[i]);
    }),
    attributes,
  };
}

/** The references of the stages, one after the other, on what comes out at the sites. */
function carryOut(chain: Chain, { inputs, outputs }: ReferenceCall<Attributes>, values: readonly ArrayView[]): void {
  const layout = outputsOfChain(chain);
  const outputsThat = (matches: (output: ChainOutput) => boolean): ArrayView[] =>
    outputs.filter((_, i) => layout.slice(i, i + 1).some(matches));
  values.forEach((start, site) => {
    let value = start;
    chain.sites[site]?.forEach((link, l) => {
      const kept = outputsThat((own) => own.site === site && own.kind === 'kept' && own.link === l);
      for (const output of kept) output.data.set(value.data);
      const given = l === 0 && chain.from !== undefined ? start : { data: value.data, shape: link.shape };
      const written = outputsThat((own) => own.site === site && own.kind === 'written');
      value = staged(link, given, inputs, written);
    });
    for (const output of outputsThat((own) => own.site === site && own.kind === 'result')) output.data.set(value.data);
  });
}

function rowsPicked(view: ArrayView, inputs: readonly ArrayView[], picked: PickedRows | undefined): ArrayView {
  if (!picked) return view;
  const size = sizeOf(picked.shape);
  const data = view.data instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  const { operation, attributes, indices, shape } = picked;
  operation.reference({ inputs: [view, viewAt(inputs, indices)], outputs: [{ data, shape }], attributes });
  return { data, shape };
}

/** What the stages in front of an input compute. */
function headed({ from, links, shape }: Head, inputs: readonly ArrayView[]): ArrayView {
  const last = links.reduce(
    (value, link, l) => staged(link, l === 0 ? value : { data: value.data, shape: link.shape }, inputs),
    viewAt(inputs, from),
  );
  return { data: last.data, shape };
}

/** What the reference of a stage makes of a value; one that writes in place leaves it in `written`. */
function staged(
  { operation, attributes, inputs: places, shape }: Link,
  value: ArrayView,
  inputs: readonly ArrayView[],
  written: readonly ArrayView[] = [],
): ArrayView {
  const next = { data: new Float32Array(sizeOf(shape)), shape };
  operation.reference({
    inputs: places.map((place) => (place === VALUE ? value : viewAt(inputs, place))),
    outputs: operation.writes ? written : [next],
    attributes,
  });
  return next;
}

function viewAt(inputs: readonly ArrayView[], place: number): ArrayView {
  const view = inputs[place];
  if (!view) throw new Error(`a chain has no input ${place}`);
  return view;
}
