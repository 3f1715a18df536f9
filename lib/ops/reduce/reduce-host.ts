import { elementAt } from '../../element-at.js';
import { takingStages } from '../../fusion/absorb.js';
import { type Chain, type Host, hostInputs } from '../../fusion/chain.js';
import { glueOf } from '../../fusion/glue.js';
import type { FoldCall } from '../../fusion/offers.js';
import { type Attributes, type Call, isFloat, type Operation } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { ReduceEnds } from './reduce-ends.js';
import { layoutOf, type ReduceKernel, reduceLaunches, resultWidth, STAGES_AT } from './reduce-launches.js';

/** How an operation reduces, as a host sees it. */
export interface Reducing {
  readonly operation: Operation;
  /** Names of the functions by which the kernel reads the elements of its inputs. Default: `valueAt`, of one. */
  readonly reads?: readonly string[];
  /** Default 1. */
  readonly outputs?: number;
  /** What the kernel computes, over which axes of the first input. */
  readonly use: (
    attributes: Attributes,
    shape: Shape,
  ) => {
    readonly kernel: ReduceKernel;
    readonly axes: readonly number[];
    /** The uniform `scale`. Default 1. */
    readonly scale?: number;
  };
  /** Phases on the CPU, between the ends; undefined where the reference must run. Left out, it always does. */
  readonly phases?: (ends: ReduceEnds, attributes: Attributes, shape: Shape) => readonly SimdPhase[] | undefined;
}

/**
 * How a reduction of floats carries out stages: on the elements as it reads them, where it has one input, and on what comes
 * out.
 */
export function reduceHost(reducing: () => Reducing) {
  const readsOf = ({ reads = ['valueAt'] }: Reducing): readonly string[] => reads;
  const host: Host = {
    get operation() {
      return reducing().operation;
    },
    readsFloat16: true,
    accepts: (chain, _site, use, { kernels }) => kernels === 'wgsl' || phasesOf(chain, use) !== undefined,
    takesHead: (head, use, { kernels }) =>
      kernels === 'wgsl' ||
      (head.links.every(({ stage }) => stage.simd) && phasesOf({ ...chainOf(), heads: [head] }, use) !== undefined),
    bindings: ({ heads }) => 1 + (heads ? 0 : readsOf(reducing()).length), // the parts of long ones, and the inputs
    reference(chain, { inputs, attributes }) {
      const { operation } = reducing();
      const own = inputs.slice(0, readsOf(reducing()).length);
      const outputs = operation
        .infer(
          hostInputs(
            chain,
            own.map(({ shape }) => ({ shape, dtype: 'f32' })),
          ),
          attributes,
        )
        .map(({ shape, dtype }) => ({ data: new (dtype === 'i32' ? Int32Array : Float32Array)(sizeOf(shape)), shape }));
      operation.reference({ inputs: own, outputs, attributes });
      return outputs;
    },
    kernel(chain, { inputs, attributes }, target) {
      const seen = hostInputs(chain, inputs);
      const { shape } = elementAt(seen, 0);
      const { kernel, axes, scale = 1 } = reducing().use(attributes, shape);
      const layout = layoutOf(shape, axes);
      const isWide = resultWidth(kernel, layout) === 4;
      const type = kernel.result === 'f32' ? undefined : ('Result' as const);
      const given = `(given: ${type ?? (isWide ? 'Element' : 'f32')}, index: u32)`;
      const count = kernel.finish ? layout.items * resultWidth(kernel, layout) : sizeOf(shape);
      const spots = chain.sites.map((_, site) => ({
        ...{ site, put: `put${site || ''}${given}`, index: 'index', count, isSingle: !isWide, ...(type && { type }) },
      }));
      const stages = glueOf(chain, inputs, spots, {
        ...{ width: layout.width, firstBinding: STAGES_AT, words: 'uniforms.words' },
        intakes: readsOf(reducing()).map((name, input) => ({ input, name, shape: elementAt(seen, input).shape })),
      });
      return reduceLaunches(kernel, layout, scale, { bindings: stages.bindings, stages }, target);
    },
    simd: (chain, use) => phasesOf(chain, use),
  };
  const chainOf = (): Chain => ({
    host,
    rows: [],
    sites: Array.from({ length: reducing().outputs ?? 1 }, () => []),
  });
  const phasesOf = (chain: Chain, { inputs, attributes }: Omit<Call<Attributes>, 'outputs'>) =>
    reducing().phases?.(new ReduceEnds(chain, inputs), attributes, elementAt(hostInputs(chain, inputs), 0).shape);
  return {
    host,
    staysFloat32: true,
    chain: ({ inputs: [input] }: Pick<Call<Attributes>, 'inputs'>): Chain | undefined =>
      input && isFloat(input.dtype) ? chainOf() : undefined,
    fold: (call: FoldCall): readonly Tensor[] | undefined => takingStages(call),
  };
}
