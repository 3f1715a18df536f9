import { ShapeError } from '../../errors.js';
import { roundedOnce } from '../../graph/node.js';
import { bind, f32, type Inputs } from '../../graph/operands.js';
import { checkArgument, checkOptions, type OptionRules, wholeNumber, wholeNumbers } from '../../options.js';
import { formatShape, normalizeAxes, type Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { moments } from '../reduce/moments.js';
import { NORMALIZE_RULES, type NormalizeOptions } from './batch-norm.js';
import { add, multiply, subtract } from '../pointwise/arithmetic.js';
import { reciprocal, sqrt } from '../pointwise/math.js';

/** Options of {@link layerNorm}. Weight and bias have the shape of the normalized axes. */
export interface LayerNormOptions extends NormalizeOptions {
  /** The axes that are normalized together: the last ones. Default -1, the last (PyTorch: their sizes, `normalized_shape`). */
  readonly axes?: number | readonly number[];
}

const LAYER_RULES: OptionRules<LayerNormOptions> = { ...NORMALIZE_RULES, axes: wholeNumbers };

/**
 * Layer normalization (Ba, Kiros, Hinton 2016; PyTorch: `F.layer_norm`): each row along the last axes is normalized by its
 * own mean and biased variance, which the gradient flows through:
 *
 *     output[r, i] = (input[r, i] - mean[r]) / √(variance[r] + epsilon) · weight[i] + bias[i]
 *
 * Throws ShapeError where the axes are not the last ones, or weight or bias does not have their sizes.
 */
export function layerNorm(input: TensorLike, options: LayerNormOptions = {}): Tensor {
  checkOptions('layerNorm', options, LAYER_RULES);
  const value = asTensor('layerNorm', 'input', input);
  const axes = trailingAxes('layerNorm', options.axes ?? -1, value.shape);
  const { weight, bias } = affineOf('layerNorm', value, value.shape.slice(-axes.length), options);
  const { epsilon = 1e-5 } = options;
  return normalize(value, { ...moments(value, { axes, keepDims: true }), weight, bias, epsilon });
}

/** @internal The axes to normalize, which must be the last ones. */
export function trailingAxes(caller: string, axes: number | readonly number[], shape: Shape): number[] {
  const normal = normalizeAxes(caller, axes, shape);
  if (normal.length > 0 && normal.every((axis, i) => axis === shape.length - normal.length + i)) return normal;
  throw new ShapeError(
    `${caller}: the last axes are normalized, found [${normal.join(', ')}] of ${formatShape(shape)}`,
  );
}

/** Weight and bias of a shape, or what stands for them. */
function affineOf(caller: string, input: Tensor, shape: Shape, { weight = 1, bias = 0 }: NormalizeOptions) {
  const operands: Record<string, Inputs[string]> = { input: f32('...', ...shape) };
  const given: Tensor[] = [input];
  for (const [operand, tensor] of Object.entries({ weight, bias })) {
    if (typeof tensor === 'number') continue;
    operands[operand] = f32(...shape);
    given.push(asTensor(caller, operand, tensor));
  }
  bind(caller, operands, given);
  return { weight, bias };
}

/**
 * Group normalization, channels last (Wu & He 2018; PyTorch: `F.group_norm`, whose channels are the second axis): of each
 * example [.., C] the channels are divided into groups of neighbours, and each group is normalized by its own mean and
 * biased variance over all axes but the first; weight and bias have the shape [C]. One group is layer normalization but for
 * its weight and bias, as many as channels instance normalization.
 *
 * Throws ShapeError where the channels are no multiple of the groups or the shapes do not fit, OptionError where `groups` is
 * no whole number of 1 or more.
 */
export function groupNorm(input: TensorLike, groups: number, options: NormalizeOptions = {}): Tensor {
  checkOptions('groupNorm', options, NORMALIZE_RULES);
  checkArgument('groupNorm', 'groups', groups, wholeNumber({ min: 1 }));
  const value = asTensor('groupNorm', 'input', input);
  bind('groupNorm', { input: f32('N', '...', 'C') }, [value]);
  const { shape } = value;
  const [examples = 0, channels = 0] = [shape[0], shape.at(-1)];
  if (channels % groups !== 0) {
    throw new ShapeError(
      `groupNorm: ${channels} channels of ${formatShape(shape)} are not divided by ${groups} groups`,
    );
  }
  const { weight, bias } = affineOf('groupNorm', value, [channels], options);
  const { epsilon = 1e-5 } = options;
  const places = value.size === 0 ? 0 : value.size / (examples * channels);
  const grouped = reshape(value, [examples, places, groups, channels / groups]);
  const statistics = moments(grouped, { axes: [1, 3], keepDims: true });
  const perGroup = (each: TensorLike): TensorLike =>
    typeof each === 'number' ? each : reshape(each, [groups, channels / groups]);
  const result = normalize(grouped, { ...statistics, weight: perGroup(weight), bias: perGroup(bias), epsilon });
  return reshape(result, shape);
}

/** What values are normalized by, each broadcast to them. */
interface NormalizedBy {
  readonly mean: TensorLike;
  readonly variance: TensorLike;
  readonly weight: TensorLike;
  readonly bias: TensorLike;
  readonly epsilon: number;
}

/** (input - mean) / √(variance + epsilon) · weight + bias. */
function normalize(input: Tensor, { mean, variance, weight, bias, epsilon }: NormalizedBy): Tensor {
  return roundedOnce(() => {
    const inverse = reciprocal(sqrt(add(variance, epsilon)));
    return add(multiply(multiply(subtract(input, mean), inverse), weight), bias);
  });
}
