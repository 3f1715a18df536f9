import { defineOperation } from '../../graph/define.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import { axisSize, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { multiply } from '../pointwise/arithmetic.js';
import { crossEntropyLossLaunch, type LossAttributes, PLAIN } from './cross-entropy-launch.js';
import {
  benchmarkOf,
  CROSS_ENTROPY_INPUTS,
  crossEntropyCall,
  crossEntropyCases,
  gradientOfRow,
  lossOfRow,
  rowOf,
} from './cross-entropy-rows.js';
import { lossHost } from './loss-host.js';

/** Up to so many classes and rows, one workgroup is enough: a row is read by one invocation. */
const MAX_CLASSES = 64;
const MAX_ROWS = 4096;

/** Whether {@link crossEntropyLoss} is meant for these logits. */
export function isSmallLoss({ shape }: Tensor): boolean {
  const [rows, classes] = [axisSize(shape, 0), axisSize(shape, 1)];
  return rows <= MAX_ROWS && classes > 0 && classes <= MAX_CLASSES;
}

/** Sum or mean of the cross-entropies of few rows and classes, with its gradient as a second output, in one launch. */
export const crossEntropyLoss: Operation<LossAttributes> = defineOperation<LossAttributes>()({
  name: 'softmaxCrossEntropyLoss',
  staysFloat32: true,
  inputs: CROSS_ENTROPY_INPUTS,
  outputs: { loss: f32(), dLogits: f32('N', 'C') },
  reference({ loss, dLogits, ...views }, { N, C }, attributes) {
    const rows = Array.from({ length: N }, (_, i) => rowOf(i, C, views, attributes));
    const losses = rows.map(lossOfRow);
    const divisor = attributes.mean ? losses.reduce((total, { weight }) => total + weight, 0) : 1;
    loss.set(0, losses.reduce((total, row) => total + row.loss, 0) / divisor);
    rows.forEach((row, i) => {
      gradientOfRow(row).forEach((value, c) => {
        dLogits.set(i * C + c, row.isIgnored ? 0 : value / divisor);
      });
    });
  },
  kernel: ({ sizes, specs: { target }, attributes }) => [
    {
      ...crossEntropyLossLaunch({ ...sizes, target, attributes }, PLAIN),
      bindings: [
        'logits',
        'target',
        ...(attributes.weighted ? (['weights'] as const) : []),
        { operand: 'loss', at: 3 },
        { operand: 'dLogits', at: 4 },
      ],
    },
  ],
  ...lossHost(() => crossEntropyLoss),
  simd(call) {
    const { N, C } = call.sizes;
    if (N === 0 || C === 0) return undefined;
    const own = [Number(call.attributes.mean), 'loss', 'dLogits'] as const;
    return [{ tasks: [[crossEntropyCall(call, 'whole', { start: 0, count: N }, own)]] }];
  },
  // The gradient is there already: only where the loss is used in something else is there a factor.
  gradient: ({ outputs: { dLogits }, outputGradients: { loss } }) => ({
    logits: loss && (isOne(loss) ? dLogits : multiply(dLogits, loss)),
  }),
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases()
    .filter(({ inputs: { logits } }) => sizeOf(logits.shape) > 0 && axisSize(logits.shape, 1) <= MAX_CLASSES)
    .flatMap(({ inputs, attributes }) =>
      [true, false].map((mean) => ({ inputs, attributes: { ...attributes, mean } })),
    ),
  cost: ({ sizes: { N, C } }) => ({ flop: 6 * N * C }),
  benchmarks: { mynetLogits: meanOf(32, 2), digits: meanOf(256, 10) },
});

function meanOf(N: number, C: number) {
  const { inputs, attributes } = benchmarkOf(N, C);
  return { inputs, attributes: { ...attributes, mean: true } };
}

/** The number 1, which the gradient of a loss starts from. */
function isOne({ origin, size }: Tensor): boolean {
  return origin.kind === 'constant' && size === 1 && origin.data[0] === 1;
}
