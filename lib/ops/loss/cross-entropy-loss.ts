import { ShapeError } from '../../errors.js';
import {
  commonWgsl,
  largestLogitWgsl,
  lossLabelRowsWgsl,
  softmaxCrossEntropyLossWgsl,
  softmaxCrossEntropyWgsl,
} from '../../generated/wgsl.js';
import type { Glue } from '../../fusion/glue.js';
import { fillBlock, type Launch, Uniforms } from '../../graph/launch.js';
import { type Call, defineOperation, type Operation } from '../../graph/operation.js';
import { formatShape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { multiply } from '../pointwise/arithmetic.js';
import { lossHost } from './loss-host.js';
import {
  checkTarget,
  crossEntropyCall,
  type CrossEntropyAttributes,
  crossEntropyCases,
  gradientOfRow,
  lossOfRow,
  rowOf,
} from './cross-entropy-rows.js';

export type LossAttributes = CrossEntropyAttributes & {
  /** Divide by the sum of the rows' weights; otherwise the losses are added up. */
  readonly mean: boolean;
};

/** Up to so many classes and rows, one workgroup is enough: a row is read by one invocation. */
const MAX_CLASSES = 64;
const MAX_ROWS = 4096;

/** Whether {@link crossEntropyLoss} is meant for these logits. */
export function isSmallLoss(logits: Tensor): boolean {
  const [rows = 0, classes = 0] = logits.shape;
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

/** The one launch of the loss. */
export function crossEntropyLossLaunch(
  { inputs: [logits, target], attributes }: Call<LossAttributes>,
  { labelRows, hits, stages, dLogits }: LossParts,
): Launch {
  const [N = 0, C = 0] = logits?.shape ?? [];
  const { weighted, mean, ignoreIndex, labelSmoothing } = attributes;
  const weights = weighted ? softmaxCrossEntropyWgsl : fillBlock(softmaxCrossEntropyWgsl, 'weights', NO_WEIGHTS);
  const rows = labelRows === undefined ? weights : fillBlock(weights, 'labels', lossLabelRowsWgsl);
  const whole = softmaxCrossEntropyLossWgsl;
  return {
    kernel: {
      name: 'softmaxCrossEntropyLoss',
      code: commonWgsl + largestLogitWgsl + rows + (stages ? fillBlock(whole, 'stages', stages.code) : whole),
      entryPoint: 'whole',
    },
    constants: {
      PROBABILITIES: Number(target?.dtype === 'f32'),
      ...(weighted && { WEIGHTED: 1 }),
      MEAN: Number(mean),
      ...(labelRows !== undefined && { LABELS: sizeOf(target?.shape ?? []) }),
      ...(hits && { HITS: 1 }),
      ...stages?.constants,
    },
    bindings: [
      { input: 0, at: 0 },
      { input: 1, at: 1 },
      ...(weighted ? [{ input: 2, at: 2 }] : []),
      { output: dLogits, at: 4 },
      ...(labelRows === undefined ? [] : [{ input: labelRows, at: LABEL_ROWS_AT }]),
      ...(stages?.bindings ?? [{ output: 0, at: 3 }]),
    ],
    uniforms: new Uniforms().u32(N, C, ignoreIndex).f32(labelSmoothing).bytes(),
    uniformsAt: UNIFORMS_AT,
    workgroups: [1, 1, 1],
  };
}

/**
 * Sum or mean of the cross-entropies of few rows and classes, with its gradient as a second output, in one launch.
 * Inputs: logits [N, C], target, class weights. Outputs: loss [], dLogits [N, C].
 */
export const crossEntropyLoss: Operation<LossAttributes> = defineOperation<LossAttributes>({
  name: 'softmaxCrossEntropyLoss',
  infer([logits, target]) {
    checkTarget(logits, target);
    if (!logits) throw new ShapeError(`softmaxCrossEntropy: no logits for ${formatShape(target?.shape ?? [])}`);
    return [{ shape: [], dtype: 'f32' }, logits];
  },
  reference({ inputs, outputs: [loss, dLogits], attributes }) {
    const [N = 0, C = 0] = inputs[0]?.shape ?? [];
    const rows = Array.from({ length: N }, (_, i) => rowOf(i, inputs, attributes));
    const losses = rows.map(lossOfRow);
    const divisor = attributes.mean ? losses.reduce((total, { weight }) => total + weight, 0) : 1;
    if (loss) loss.data[0] = losses.reduce((total, row) => total + row.loss, 0) / divisor;
    rows.forEach((row, i) => {
      gradientOfRow(row).forEach((value, c) => {
        if (dLogits) dLogits.data[i * C + c] = row.isIgnored ? 0 : value / divisor;
      });
    });
  },
  kernel: (call) => [crossEntropyLossLaunch(call, PLAIN)],
  ...lossHost(() => crossEntropyLoss),
  simd(call) {
    const [N = 0, C = 0] = call.inputs[0]?.shape ?? [];
    if (N === 0 || C === 0) return undefined;
    const own = [Number(call.attributes.mean), { output: 0 }, { output: 1 }];
    return [{ tasks: [[crossEntropyCall(call, 'whole', { start: 0, count: N }, own)]] }];
  },
  // The gradient is there already: only where the loss is used in something else is there a factor.
  gradient({ outputs: [, dLogits], outputGradients: [dLoss] }) {
    if (!dLogits || !dLoss) return [];
    return [isOne(dLoss) ? dLogits : multiply(dLogits, dLoss)];
  },
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases(false)
    .filter(({ inputs: [logits] }) => (logits?.shape[0] ?? 0) > 0 && (logits?.shape[1] ?? 0) <= MAX_CLASSES)
    .flatMap(({ inputs, attributes }) =>
      [true, false].map((mean) => ({ inputs, attributes: { ...attributes, mean } })),
    ),
});

/** The number 1, which the gradient of a loss starts from. */
function isOne({ origin, size }: Tensor): boolean {
  return origin.kind === 'constant' && size === 1 && origin.data[0] === 1;
}
