import type { Glue } from '../../fusion/glue.js';
import {
  commonWgsl,
  elementOneWgsl,
  largestLogitWgsl,
  lossLabelRowsWgsl,
  softmaxCrossEntropyLossWgsl,
  softmaxCrossEntropyWgsl,
} from '../../generated/wgsl.js';
import { type Binding, fillBlock, Uniforms } from '../../graph/launch.js';
import type { TensorSpec } from '../../graph/operation.js';
import { sizeOf } from '../../shape.js';
import type { CrossEntropyAttributes } from './cross-entropy-rows.js';

export type LossAttributes = CrossEntropyAttributes & {
  /** Divide by the sum of the rows' weights; otherwise the losses are added up. */
  readonly mean: boolean;
};

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

/** Nothing. */
export const PLAIN: LossParts = { hits: false, dLogits: 1 };

/** Numbers of bindings. */
const UNIFORMS_AT = 5;
const LABEL_ROWS_AT = 6;
/** The first one that is free for stages. */
export const STAGES_AT = 7;
/** WGSL: where stages find their words. */
export const WORDS = 'uniforms.words';

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
  const labels = labelRows === undefined ? weights : fillBlock(weights, 'labels', lossLabelRowsWgsl);
  const rows = fillBlock(labels, 'words', ''); // the stages say how many they need
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
    uniforms: new Uniforms()
      .u32(N, C, ignoreIndex)
      .f32(labelSmoothing)
      .u32(...(stages?.words ?? [0, 0, 0, 0]))
      .bytes(),
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
