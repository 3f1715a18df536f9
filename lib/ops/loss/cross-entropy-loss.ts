import {
  commonWgsl,
  elementOneWgsl,
  largestLogitWgsl,
  lossLabelRowsWgsl,
  softmaxCrossEntropyLossWgsl,
  softmaxCrossEntropyWgsl,
} from '../../generated/wgsl.js';
import type { Glue } from '../../fusion/glue.js';
import { defineOperation } from '../../graph/define.js';
import { type Binding, fillBlock, Uniforms } from '../../graph/launch.js';
import { f32 } from '../../graph/operands.js';
import type { Operation, TensorSpec } from '../../graph/operation.js';
import { axisSize, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { multiply } from '../pointwise/arithmetic.js';
import {
  CROSS_ENTROPY_INPUTS,
  crossEntropyCall,
  type CrossEntropyAttributes,
  crossEntropyCases,
  gradientOfRow,
  lossOfRow,
  rowOf,
} from './cross-entropy-rows.js';
import { lossHost } from './loss-host.js';

export type LossAttributes = CrossEntropyAttributes & {
  /** Divide by the sum of the rows' weights; otherwise the losses are added up. */
  readonly mean: boolean;
};

/** Up to so many classes and rows, one workgroup is enough: a row is read by one invocation. */
const MAX_CLASSES = 64;
const MAX_ROWS = 4096;

/** Whether {@link crossEntropyLoss} is meant for these logits. */
export function isSmallLoss({ shape }: Tensor): boolean {
  const [rows, classes] = [axisSize(shape, 0), axisSize(shape, 1)];
  return rows <= MAX_ROWS && classes > 0 && classes <= MAX_CLASSES;
}

/** What the kernel does beside the loss and its gradient. */
export interface LossParts {
  /** Classes are picked from a table: where the row numbers are. */
  readonly labelRows?: number;
  /** Whether the share of hits is counted. */
  readonly hits: boolean;
  /** What becomes of loss and hits; left out, the loss is stored. */
  readonly stages?: Glue;
  /** Which output dLogits is. */
  readonly dLogits: number;
}

const PLAIN: LossParts = { hits: false, dLogits: 1 };

/** Numbers of bindings. */
const UNIFORMS_AT = 5;
const LABEL_ROWS_AT = 6;
/** The first one that is free for stages. */
export const STAGES_AT = 7;

/** In place of the block `weights` where there are none, so that nothing is bound for them. */
const NO_WEIGHTS = 'fn weightOf(class_: u32) -> f32 {\n  return 1.0;\n}';

/** A use of the loss. */
interface LossUse {
  readonly N: number;
  readonly C: number;
  /** As it is read: classes, a table that they are picked from, or probabilities. */
  readonly target: TensorSpec;
  readonly attributes: LossAttributes;
}

/** The one launch of the loss, but for what it binds. */
export function crossEntropyLossLaunch({ N, C, target, attributes }: LossUse, { labelRows, hits, stages }: LossParts) {
  const { weighted, mean, ignoreIndex, labelSmoothing } = attributes;
  const weights = weighted ? softmaxCrossEntropyWgsl : fillBlock(softmaxCrossEntropyWgsl, 'weights', NO_WEIGHTS);
  const rows = labelRows === undefined ? weights : fillBlock(weights, 'labels', lossLabelRowsWgsl);
  const whole = softmaxCrossEntropyLossWgsl;
  const kernel = stages ? elementOneWgsl + rows + fillBlock(whole, 'stages', stages.code) : rows + whole;
  return {
    kernel: {
      name: 'softmaxCrossEntropyLoss',
      code: commonWgsl + largestLogitWgsl + kernel,
      entryPoint: 'whole',
    },
    constants: {
      PROBABILITIES: Number(target.dtype === 'f32'),
      ...(weighted && { WEIGHTED: 1 }),
      MEAN: Number(mean),
      ...(labelRows !== undefined && { LABELS: sizeOf(target.shape) }),
      ...(hits && { HITS: 1 }),
      ...stages?.constants,
    },
    uniforms: new Uniforms().u32(N, C, ignoreIndex).f32(labelSmoothing).bytes(),
    uniformsAt: UNIFORMS_AT,
    workgroups: [1, 1, 1] as const,
  };
}

/** What the launch binds with parts beside it. */
export function crossEntropyLossBindings(
  { weighted }: LossAttributes,
  { labelRows, stages, dLogits }: LossParts & { readonly stages: Glue },
): Binding[] {
  return [
    { input: 0, at: 0 },
    { input: 1, at: 1 },
    ...(weighted ? [{ input: 2, at: 2 }] : []),
    { output: dLogits, at: 4 },
    ...(labelRows === undefined ? [] : [{ input: labelRows, at: LABEL_ROWS_AT }]),
    ...stages.bindings,
  ];
}

/** Sum or mean of the cross-entropies of few rows and classes, with its gradient as a second output, in one launch. */
export const crossEntropyLoss: Operation<LossAttributes> = defineOperation<LossAttributes>()({
  name: 'softmaxCrossEntropyLoss',
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
});

/** The number 1, which the gradient of a loss starts from. */
function isOne({ origin, size }: Tensor): boolean {
  return origin.kind === 'constant' && size === 1 && origin.data[0] === 1;
}
