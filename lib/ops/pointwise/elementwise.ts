import { elementAt } from '../../element-at.js';
import { commonAxes, strideAlong } from '../../fusion/broadcast.js';
import { type Chain, type Host, type Link, VALUE } from '../../fusion/chain.js';
import { glueOf } from '../../fusion/glue.js';
import { broadcastsOf, callsOn, scratchOfStages } from '../../fusion/simd-calls.js';
import { commonWgsl, elementFourWgsl, elementwiseWgsl } from '../../generated/wgsl.js';
import { ceilDivide, fillBlock, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import type { Attributes, Call, Operation, TensorSpec } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { type Shape, sizeOf, stridesOf } from '../../shape.js';
import { BLOCK_ELEMENTS, blockTasks } from '../simd-parts.js';

/** Numbers of bindings of kernels/pointwise/elementwise.wgsl. */
const UNIFORMS_AT = 0;
const STAGES_AT = 1;

/** Operations on single elements, with others behind them: nothing but stages, on the elements of one input. */
const elementwise: Host = {
  accepts: (chain, _site, { inputs }, { kernels }) => kernels === 'wgsl' || axesOf(chain, inputs) !== undefined,
  readsFloat16: true,
  storesFloat16: () => true,
  bindings: () => 0,
  reference: ({ from = VALUE }, { inputs }) => inputs.slice(from, from + 1),
  kernel: (chain, { inputs }) => [launchOf(chain, inputs)],
  simd: (chain, { inputs }) => phasesOf(chain, inputs),
};

/**
 * The kernels of an operation on single elements that has a stage, on the elements of the input at `position`. The
 * operation takes others in behind it. A use of it that is no stage, such as of integers, is left to kernels of its own.
 */
export function elementwiseHost(operation: () => Operation, position: number) {
  const chain = ({ inputs, outputs, attributes }: Call<Attributes>): Chain | undefined => {
    const own = operation();
    const stage = own.stage?.({ position, inputs, attributes });
    if (!stage) return undefined;
    const places = inputs.map((_, place) => (place === position ? VALUE : place));
    const { shape } = (own.writes ? inputs[position] : outputs[0]) ?? { shape: [] };
    const link = { stage, operation: own, attributes, inputs: places, shape, keepsInput: false };
    return { host: elementwise, rows: [], sites: [[link]], from: position };
  };
  return { host: elementwise, chain };
}

function launchOf(chain: Chain, inputs: readonly TensorSpec[]): Launch {
  const links = linksOf(chain);
  const count = sizeOf(shapeOf(chain));
  // One element is computed alone: a meter takes nothing else.
  const spots = [{ site: 0, put: 'put(index: u32)', index: 'index', count, isSingle: count === 1 }];
  const glue = glueOf(chain, inputs, spots, { width: 4, firstBinding: STAGES_AT, words: 'size.words' });
  return {
    kernel: {
      name: links.map(({ operation }) => operation.name).join(' + '),
      code: commonWgsl + elementFourWgsl + fillBlock(elementwiseWgsl, 'stages', glue.code),
      entryPoint: 'elementwise',
    },
    bindings: glue.bindings,
    constants: glue.constants,
    uniforms: new Uniforms()
      .u32(count)
      .align()
      .u32(...glue.words)
      .bytes(),
    uniformsAt: UNIFORMS_AT,
    workgroups: foldWorkgroups(ceilDivide(count, 256)),
  };
}

function phasesOf(chain: Chain, inputs: readonly TensorSpec[]): SimdPhase[] | undefined {
  const axes = axesOf(chain, inputs);
  const links = linksOf(chain);
  if (!axes || links.some(({ stage }) => !stage.simd)) return undefined;
  const strides = broadcastsOf(links, chain.from, inputs).map((broadcast) => {
    let inner = sizeOf(axes);
    return axes.map((size) => strideAlong(broadcast, (inner /= size)));
  });
  const ofStages = scratchOfStages(links);
  const scratch = { argument: { scratch: true as const, offset: ofStages }, pitch: 0 };
  const isChain = links.length > 1;
  let scratchBytes = ofStages;
  const tasks = blockTasks(
    { sizes: axes, strides: [stridesOf(axes), ...strides] },
    ({ rows, columns, tensors: [flat] }) => {
      const { start: first, rowStride: pitch } = flat;
      if (isChain) scratchBytes = Math.max(scratchBytes, ofStages + 4 * rows * columns);
      return callsOn(chain, 0, inputs, { rows, columns, first, pitch, scratch: { ...scratch, pitch: 4 * columns } });
    },
    ...(isChain ? [BLOCK_ELEMENTS] : []),
  );
  return tasks && [{ tasks: tasks.map((blocks) => blocks.flat()), scratchBytes }];
}

/** Axes along which all operands go evenly; undefined where they do not, or a kernel cannot repeat one. */
function axesOf(chain: Chain, inputs: readonly TensorSpec[]): number[] | undefined {
  const count = sizeOf(shapeOf(chain));
  return count === 0 ? undefined : commonAxes(broadcastsOf(linksOf(chain), chain.from, inputs), count);
}

function linksOf(chain: Chain): readonly Link[] {
  return elementAt(chain.sites, 0);
}

/** The shape of the values: of all that a chain of stages computes. */
function shapeOf(chain: Chain): Shape {
  return elementAt(linksOf(chain), 0).shape;
}
