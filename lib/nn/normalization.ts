import { ShapeError } from '../errors.js';
import {
  boolean,
  callback,
  checkArgument,
  checkOptions,
  instanceOf,
  type OptionRules,
  wholeNumber,
  wholeNumbers,
} from '../options.js';
import { batchNorm, epsilon, momentum } from '../ops/normalize/batch-norm.js';
import { groupNorm, layerNorm, trailingAxes } from '../ops/normalize/layer-norm.js';
import { formatShape, type Shape } from '../shape.js';
import { Tensor } from '../tensor.js';
import type { Parameter, Variable } from '../variable.js';
import { constant, type Initializer } from './initializers.js';
import { Module } from './module.js';

/** Options that all layers of normalization have. */
export interface NormalizationOptions {
  /** Is added to the variance. Default 1e-5, as in PyTorch; Keras has 1e-3. */
  readonly epsilon?: number;
  /** Whether there are a weight and a bias (Keras: `center` and `scale`). Default true. */
  readonly affine?: boolean;
  /** Default: 1 everywhere. */
  readonly weightInitializer?: Initializer;
  /** Default: 0 everywhere. */
  readonly biasInitializer?: Initializer;
}

/** Options of {@link BatchNorm}. */
export interface BatchNormLayerOptions extends NormalizationOptions {
  /** The batch's share in the running statistics. Default 0.1, as PyTorch counts it; Keras's 0.99 is 0.01 here. */
  readonly momentum?: number;
}

/** Options of {@link LayerNorm}. */
export interface LayerNormLayerOptions extends NormalizationOptions {
  /** The axes that are normalized together: the last ones. Default -1, the last. */
  readonly axes?: number | readonly number[];
}

const TENSOR = instanceOf(Tensor, 'a tensor');
const rules: OptionRules<NormalizationOptions> = {
  ...{ epsilon, affine: boolean, weightInitializer: callback, biasInitializer: callback },
};

/** What layers of normalization share: a weight and a bias, made when their shape is known. */
abstract class Normalization extends Module {
  /** As given to the constructor. */
  abstract readonly options: NormalizationOptions;
  /** What normalized values are multiplied by, once the model is built; undefined without `affine`. */
  weight: Parameter | undefined = undefined;
  /** What is added then. */
  bias: Parameter | undefined = undefined;

  /** @internal Weight and bias, as options of the functions; throws ShapeError where they were made for another shape. */
  protected affine(input: Shape, shape: Shape) {
    const { affine = true, weightInitializer = constant(1), biasInitializer = constant(0) } = this.options;
    const { epsilon = 1e-5 } = this.options;
    if (!affine) return { epsilon };
    this.weight ??= this.parameter('weight', shape, weightInitializer);
    this.bias ??= this.parameter('bias', shape, biasInitializer);
    this.checkShape(input, shape, this.weight);
    return { weight: this.weight, bias: this.bias, epsilon };
  }

  /** @internal Throws ShapeError where something was made for another shape. */
  protected checkShape(input: Shape, shape: Shape, built: Variable): void {
    if (formatShape(built.shape) === formatShape(shape)) return;
    throw new ShapeError(
      `${this.constructor.name} ${this.scope.path}: the input ${formatShape(input)} is normalized along ` +
        `${formatShape(shape)}, the layer was built for ${formatShape(built.shape)}`,
    );
  }
}

/**
 * The layer of {@link batchNorm}, for inputs of any number of axes, channels last: [N, C], [N, height, width, C]
 * (PyTorch: BatchNorm1d, BatchNorm2d, BatchNorm3d; Keras: BatchNormalization). The running statistics are saved and loaded
 * with the weights, under PyTorch's names.
 *
 * It normalizes by the batch while it trains. In evaluation mode it normalizes by the running statistics and leaves them as
 * they are, and so it does where the layer or what holds it is frozen (`model.freeze('body')`), as in Keras: in
 * PyTorch one calls `eval()` on such parts.
 */
export class BatchNorm extends Normalization {
  override readonly options: BatchNormLayerOptions;
  /** Mean of what was seen so far [C], once the model is built; starts as 0. */
  running_mean: Variable | undefined = undefined;
  /** Unbiased variance of what was seen so far [C], once the model is built; starts as 1. */
  running_var: Variable | undefined = undefined;

  /** Throws OptionError for a bad option. */
  constructor(options: BatchNormLayerOptions = {}) {
    super();
    checkOptions('BatchNorm', options, { ...rules, momentum });
    this.options = options;
  }

  /** Throws ShapeError for a scalar, other channels than the layer was built for, and one value a channel in training. */
  override forward(input: Tensor): Tensor {
    checkArgument('BatchNorm', 'the input', input, TENSOR);
    const channels = input.shape.slice(-1);
    const [count] = channels;
    if (count === undefined) throw new ShapeError('BatchNorm: the input needs at least one axis, found a scalar');
    const affine = this.affine(input.shape, channels);
    this.running_mean ??= this.buffer('running_mean', new Float32Array(count));
    this.running_var ??= this.buffer('running_var', new Float32Array(count).fill(1));
    this.checkShape(input.shape, channels, this.running_mean);
    const { momentum: share = 0.1 } = this.options;
    const training = this.training && !this.isFrozen && !this.isRehearsal;
    const running = { runningMean: this.running_mean, runningVariance: this.running_var };
    return batchNorm(input, { ...affine, ...running, training, momentum: share });
  }
}

/** The layer of {@link layerNorm} (PyTorch: LayerNorm; Keras: LayerNormalization). */
export class LayerNorm extends Normalization {
  override readonly options: LayerNormLayerOptions;

  /** Throws OptionError for a bad option. */
  constructor(options: LayerNormLayerOptions = {}) {
    super();
    checkOptions('LayerNorm', options, { ...rules, axes: wholeNumbers });
    this.options = options;
  }

  /** Throws ShapeError where the axes are not the last ones, or have other sizes than the layer was built for. */
  override forward(input: Tensor): Tensor {
    checkArgument('LayerNorm', 'the input', input, TENSOR);
    const { axes = -1 } = this.options;
    const shape = input.shape.slice(-trailingAxes('LayerNorm', axes, input.shape).length);
    return layerNorm(input, { ...this.affine(input.shape, shape), axes });
  }
}

/** The layer of {@link groupNorm}, channels last (PyTorch: GroupNorm; Keras: GroupNormalization). */
export class GroupNorm extends Normalization {
  override readonly options: NormalizationOptions;
  /** The channels are divided into so many groups. */
  readonly groups: number;

  /** @param groups so many. Throws OptionError unless it is a whole number of 1 or more, and for a bad option. */
  constructor(groups: number, options: NormalizationOptions = {}) {
    super();
    checkArgument('GroupNorm', 'groups', groups, wholeNumber({ min: 1 }));
    checkOptions('GroupNorm', options, rules);
    this.groups = groups;
    this.options = options;
  }

  /** Throws ShapeError where the channels are no multiple of the groups, or other ones than the layer was built for. */
  override forward(input: Tensor): Tensor {
    checkArgument('GroupNorm', 'the input', input, TENSOR);
    return groupNorm(input, this.groups, this.affine(input.shape, input.shape.slice(-1)));
  }
}
