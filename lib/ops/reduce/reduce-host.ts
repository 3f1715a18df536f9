import { elementAt } from '../../element-at.js';
import { takingStages } from '../../fusion/absorb.js';
import { type Chain, type Host, hostInputs } from '../../fusion/chain.js';
import { glueOf } from '../../fusion/glue.js';
import type { FoldCall } from '../../fusion/pass.js';
import type { Attributes, Call, Operation } from '../../graph/operation.js';
import { sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { layoutOf, type ReduceKernel, reduceLaunches, resultWidth, STAGES_AT } from './reduce-launches.js';

/** How an operation reduces, as a host sees it. */
export interface Reducing {
  readonly operation: Operation;
  readonly kernel: ReduceKernel;
  /** The axes, and what the result is multiplied by. */
  readonly use: (attributes: Attributes) => { readonly axes: readonly number[]; readonly scale: number };
}

/** How a reduction of floats carries out stages: on the elements as it reads them, and on what comes out. */
export function reduceHost(reducing: () => Reducing) {
  const host: Host = {
    get operation() {
      return reducing().operation;
    },
    accepts: (_chain, _site, _use, { kernels }) => kernels === 'wgsl',
    bindings: ({ heads }) => 1 + Number(heads === undefined), // the parts of long ones, and the input
    reference(chain, { inputs, attributes }) {
      const { operation } = reducing();
      const own = inputs.slice(0, 1);
      const outputs = operation
        .infer(
          hostInputs(
            chain,
            own.map(({ shape }) => ({ shape, dtype: 'f32' })),
          ),
          attributes,
        )
        .map(({ shape }) => ({ data: new Float32Array(sizeOf(shape)), shape }));
      operation.reference({ inputs: own, outputs, attributes });
      return outputs;
    },
    kernel(chain, { inputs, attributes }, target) {
      const { kernel, use } = reducing();
      const { axes, scale } = use(attributes);
      const { shape } = elementAt(hostInputs(chain, inputs), 0);
      const layout = layoutOf(shape, axes);
      const isWide = resultWidth(kernel, layout) === 4;
      const put = `put(given: ${isWide ? 'Element' : 'f32'}, index: u32)`;
      const count = kernel.finish ? layout.items * resultWidth(kernel, layout) : sizeOf(shape);
      const stages = glueOf(chain, inputs, [{ site: 0, put, index: 'index', count, isSingle: !isWide }], {
        ...{ width: layout.width, firstBinding: STAGES_AT, words: 'uniforms.words' },
        intakes: [{ input: 0, name: 'valueAt', shape }],
      });
      return reduceLaunches(kernel, layout, scale, { bindings: stages.bindings, stages }, target);
    },
  };
  return {
    host,
    chain: ({ inputs: [input] }: Pick<Call<Attributes>, 'inputs'>): Chain | undefined =>
      input?.dtype === 'f32' ? { host, rows: [], sites: [[]] } : undefined,
    fold: (call: FoldCall): readonly Tensor[] | undefined => takingStages(call),
  };
}
