import { OptionError, ShapeError } from '../../errors.js';
import { bind, f32, type Inputs } from '../../graph/operands.js';
import { boolean, checkOptions, number, type OptionRule, type OptionRules } from '../../options.js';
import { formatShape, sizeOf } from '../../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../../tensor.js';
import { Variable } from '../../variable.js';
import { moments } from '../reduce/moments.js';
import { normalize } from './channels.js';
import { moveAverage } from './running-average.js';

/** What every normalization may be given beside its input. */
export interface NormalizeOptions {
  /** What the normalized values are multiplied by (γ; Keras: gamma). Default 1. */
  readonly weight?: TensorLike;
  /** What is added then (β; Keras: beta). Default 0. */
  readonly bias?: TensorLike;
  /** Is added to the variance, so that nothing is divided by 0. Default 1e-5, as in PyTorch; Keras has 1e-3. */
  readonly epsilon?: number;
}

/** Options of {@link batchNorm}. Weight, bias and the running statistics have the shape [C]. */
export interface BatchNormOptions extends NormalizeOptions {
  /**
   * Mean of what was seen so far (PyTorch: `running_mean`). In training a Variable, which is moved on in place, or left
   * out; in evaluation what is subtracted.
   */
  readonly runningMean?: TensorLike;
  /** Variance of what was seen so far, unbiased (PyTorch: `running_var`); as `runningMean`. */
  readonly runningVariance?: TensorLike;
  /** Whether the batch's own statistics are used. Default false, as in PyTorch. */
  readonly training?: boolean;
  /**
   * The batch's share in the running statistics: running = (1 - momentum) · running + momentum · batch. Default 0.1, as in
   * PyTorch. Keras counts the other share: its default of 0.99 is 0.01 here.
   */
  readonly momentum?: number;
}

const GIVEN = ['weight', 'bias', 'runningMean', 'runningVariance'] as const;
type Given = (typeof GIVEN)[number];

const tensorLike: OptionRule = { expected: 'a tensor, a variable or numbers', accepts: (value) => value !== null };
/** @internal */
export const epsilon = number({ min: 0 });
/** @internal */
export const momentum = number({ min: 0, max: 1 });

/** @internal Rules of {@link NormalizeOptions}. */
export const NORMALIZE_RULES: OptionRules<NormalizeOptions> = { weight: tensorLike, bias: tensorLike, epsilon };

const RULES: OptionRules<BatchNormOptions> = {
  ...NORMALIZE_RULES,
  ...{ runningMean: tensorLike, runningVariance: tensorLike, training: boolean, momentum },
};

/**
 * Batch normalization over all axes but the last, the channels (Ioffe & Szegedy 2015; PyTorch: `F.batch_norm`, whose
 * channels are the second axis):
 *
 *     output[.., c] = (input[.., c] - mean[c]) / √(variance[c] + epsilon) · weight[c] + bias[c]
 *
 * In training mean and biased variance are those of the batch, through which the gradient flows, and the running
 * statistics are moved on in place, that of the variance with the unbiased one, n / (n - 1) times as large; an empty batch
 * leaves them as they are. In evaluation mean and variance are the running ones, which have no gradient.
 *
 * Throws ShapeError where shapes do not fit, or in training where a channel has one value only; OptionError where
 * running statistics are missing in evaluation, are given singly, or are no variables in training; TraceError for
 * running statistics in training outside of a traced function.
 */
export function batchNorm(input: TensorLike, options: BatchNormOptions = {}): Tensor {
  checkOptions('batchNorm', options, RULES);
  const { training = false, momentum: share = 0.1, epsilon: added = 1e-5 } = options;
  const value = asTensor('batchNorm', 'input', input);
  const parameters = tensorsOf('batchNorm', value, options);
  const running = runningOf(options, training);
  const affine = { weight: parameters.weight, bias: parameters.bias, epsilon: added };
  const channels = sizeOf(value.shape.slice(-1));
  if (!training || value.size === 0) {
    const nothing = tensor(new Float32Array(channels));
    const { runningMean: mean = nothing, runningVariance: variance = nothing } = parameters;
    return normalize(value, { mean, variance, ...affine }, 'data');
  }

  const count = value.size / channels;
  if (count === 1) {
    throw new ShapeError(
      `batchNorm: training takes more than one value a channel, found the input ${formatShape(value.shape)}`,
    );
  }
  const ofBatch = moments(value, { axes: value.shape.slice(0, -1).map((_, axis) => axis) });
  if (running) {
    moveAverage(running.mean, ofBatch.mean, { momentum: share });
    moveAverage(running.variance, ofBatch.variance, { momentum: share, scale: count / (count - 1) });
  }
  return normalize(value, { ...ofBatch, ...affine }, 'batch');
}

/** The tensors among the options. Throws ShapeError where one does not fit the input. */
function tensorsOf(name: string, input: Tensor, options: BatchNormOptions): Partial<Record<Given, Tensor>> {
  const operands: Record<string, Inputs[string]> = { input: f32('...', 'C') };
  const given: Partial<Record<Given, Tensor>> = {};
  for (const operand of GIVEN) {
    const tensor = options[operand];
    if (tensor === undefined) continue;
    operands[operand] = f32('C');
    given[operand] = asTensor(name, operand, tensor);
  }
  bind(name, operands, [input, ...Object.values(given)]);
  return given;
}

/** The variables that are moved on in training, if any. */
function runningOf({ runningMean: mean, runningVariance: variance }: BatchNormOptions, training: boolean) {
  if ((mean === undefined) !== (variance === undefined)) {
    throw new OptionError('batchNorm: runningMean and runningVariance belong together, found one of them');
  }
  if (mean === undefined) {
    if (training) return undefined;
    throw new OptionError('batchNorm: evaluation needs runningMean and runningVariance; or say training: true');
  }
  if (!training) return undefined;
  if (mean instanceof Variable && variance instanceof Variable) return { mean, variance };
  throw new OptionError('batchNorm: in training runningMean and runningVariance must be variables: they are moved on');
}
