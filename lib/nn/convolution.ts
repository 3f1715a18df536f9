import { elementAt } from '../element-at.js';
import { OptionError, ShapeError } from '../errors.js';
import type { FileLayouts } from '../file-layout.js';
import { convTranspose2d, outputPaddingRule } from '../ops/convolution/conv-transpose2d.js';
import { conv2d } from '../ops/convolution/conv2d.js';
import { depthwiseConv2d } from '../ops/convolution/depthwise.js';
import { type Pair, pairOf, pairRule, WINDOW_RULES, type WindowOptions } from '../ops/convolution/window.js';
import {
  boolean,
  callback,
  checkArgument,
  checkOptions,
  instanceOf,
  type OptionRules,
  wholeNumber,
} from '../options.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import { Tensor } from '../tensor.js';
import type { Parameter } from '../variable.js';
import { type Fans, type Initializer, kaimingUniform } from './initializers.js';
import { Module } from './module.js';
import { refuseChannelsFirst } from './pictures.js';

/** Options that all layers of convolution have. */
export interface ConvolutionOptions extends WindowOptions {
  /** Channels of an input. Default: those of the first input the layer sees, as in Keras. */
  readonly inputChannels?: number;
  /** Whether a bias is added to each channel of the output. Default true. */
  readonly bias?: boolean;
  /** Default: Kaiming uniform as PyTorch's layers have it. Keras's have {@link glorotUniform}. */
  readonly weightInitializer?: Initializer;
  /** Default: uniform in ±1/√fanIn as PyTorch's layers have it. Keras's have {@link zeros}. */
  readonly biasInitializer?: Initializer;
}

/** Options of {@link Conv2d}. */
export interface Conv2dLayerOptions extends ConvolutionOptions {
  /** Channels are divided into so many groups; a channel of the output sees those of its own group only. Default 1. */
  readonly groups?: number;
}

/** Options of {@link DepthwiseConv2d}. */
export interface DepthwiseConv2dLayerOptions extends ConvolutionOptions {
  /** Channels of the output that each channel of the input has. Default 1. */
  readonly depthMultiplier?: number;
}

/** Options of {@link ConvTranspose2d}. */
export interface ConvTranspose2dLayerOptions extends Conv2dLayerOptions {
  /** Places that the output has more below and on the right: of the sizes that stride makes equal, which one. Default 0. */
  readonly outputPadding?: Pair;
}

const count = wholeNumber({ min: 1 });
const TENSOR = instanceOf(Tensor, 'a tensor');
const rules: OptionRules<ConvolutionOptions> = {
  ...{ ...WINDOW_RULES, inputChannels: count, bias: boolean },
  ...{ weightInitializer: callback, biasInitializer: callback },
};

/** A weight as a layer makes it. */
interface WeightPlan {
  readonly shape: Shape;
  readonly fans: Fans;
  readonly fileLayouts: FileLayouts;
  /** Channels of the output. */
  readonly channels: number;
}

/** What layers of convolution share: a weight and a bias, made when the channels of the input are known. */
abstract class Convolution extends Module {
  /** As given to the constructor. */
  abstract readonly options: ConvolutionOptions;
  /** Height and width of the window. */
  readonly kernelSize: readonly [height: number, width: number];
  /** Once the model is built; in the layout of the device, which is another one than that of files. */
  weight: Parameter | undefined = undefined;
  /** One number a channel of the output, once the model is built; undefined without bias. */
  bias: Parameter | undefined = undefined;

  protected constructor(name: string, kernelSize: Pair) {
    super();
    checkArgument(name, 'kernelSize', kernelSize, pairRule);
    this.kernelSize = pairOf(kernelSize);
  }

  /** @internal Convolves pictures with a weight that was made. */
  protected abstract convolve(input: Tensor, weight: Parameter): Tensor;
  /** @internal The weight for inputs of so many channels. Throws ShapeError where there can be none. */
  protected abstract weightFor(inputChannels: number): WeightPlan;

  /** Throws ShapeError, naming the layer, for pictures that it was not built for, or that are smaller than its window. */
  override forward(input: Tensor): Tensor {
    checkArgument(this.constructor.name, 'the input', input, TENSOR);
    try {
      return this.convolve(input, this.weight ?? this.#create(input.shape));
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      throw new ShapeError(`${this.constructor.name} ${this.scope.path}: ${error.message}`, { cause: error });
    }
  }

  /** @internal Where the window lies, and the bias, as options of an operation. */
  protected get convolutionOptions() {
    const { stride = 1, padding = 0, dilation = 1 } = this.options;
    return { stride, padding, dilation, ...(this.bias && { bias: this.bias }) };
  }

  #create(input: Shape): Parameter {
    const { inputChannels, bias = true } = this.options;
    const { weightInitializer = kaimingUniform(), biasInitializer = kaimingUniform() } = this.options;
    const [, , , found] = input;
    if (input.length !== 4 || found === undefined) {
      throw new ShapeError(`the input must be pictures [N, height, width, channels], found ${formatShape(input)}`);
    }
    if (inputChannels === undefined) {
      refuseChannelsFirst({ input, modelInput: this.scope.inputShape, kernelHeight: elementAt(this.kernelSize, 0) });
    }
    const { shape, fans, fileLayouts, channels } = this.weightFor(inputChannels ?? found);
    const weight = this.parameter('weight', shape, weightInitializer, fans, fileLayouts);
    if (bias) this.bias = this.parameter('bias', [channels], biasInitializer, fans);
    this.weight = weight;
    return weight;
  }
}

/**
 * The layer of {@link conv2d}: pictures [N, height, width, in] → [N, height', width', out] (PyTorch: Conv2d, Keras: Conv2D).
 * The weight is [out, height, width, in / groups], in files as PyTorch has it, [out, in / groups, height, width].
 */
export class Conv2d extends Convolution {
  override readonly options: Conv2dLayerOptions;
  /** Channels of an output. */
  readonly outChannels: number;

  /**
   * Throws OptionError where a size is no whole number of 1 or more, for channels that are no multiple of the groups, and for
   * a bad option.
   *
   * @param outChannels channels of an output (Keras: `filters`)
   * @param kernelSize height and width of the window, or one number for both
   */
  constructor(outChannels: number, kernelSize: Pair, options: Conv2dLayerOptions = {}) {
    super('Conv2d', kernelSize);
    checkArgument('Conv2d', 'outChannels', outChannels, count);
    checkOptions('Conv2d', options, { ...rules, groups: count });
    checkGroups('Conv2d', outChannels, options.groups);
    this.outChannels = outChannels;
    this.options = options;
  }

  /** @internal */
  protected override convolve(input: Tensor, weight: Parameter): Tensor {
    return conv2d(input, weight, { ...this.convolutionOptions, groups: this.options.groups ?? 1 });
  }

  /** @internal */
  protected override weightFor(inputChannels: number): WeightPlan {
    const [out, inGroup] = [this.outChannels, groupSize(inputChannels, this.options.groups)];
    const shape = [out, ...this.kernelSize, inGroup];
    const window = sizeOf(this.kernelSize);
    return {
      shape,
      fans: { fanIn: inGroup * window, fanOut: out * window },
      fileLayouts: { pytorch: { axes: shape, order: [0, 3, 1, 2] }, keras: { axes: shape, order: [1, 2, 3, 0] } },
      channels: out,
    };
  }
}

/**
 * The layer of {@link depthwiseConv2d}: each channel of pictures [N, height, width, channels] has a window of its own, or
 * `depthMultiplier` of them, whose outputs stand side by side (PyTorch: Conv2d with as many groups as channels, Keras:
 * DepthwiseConv2D). The weight is [height, width, channels], in files as PyTorch has it, [channels, 1, height, width]; with
 * a multiplier, that of a {@link Conv2d} with groups.
 */
export class DepthwiseConv2d extends Convolution {
  override readonly options: DepthwiseConv2dLayerOptions;
  /** Channels of the output that each channel of the input has. */
  readonly depthMultiplier: number;

  /**
   * Throws OptionError where a size is no whole number of 1 or more, and for a bad option.
   *
   * @param kernelSize height and width of the windows, or one number for both
   */
  constructor(kernelSize: Pair, options: DepthwiseConv2dLayerOptions = {}) {
    super('DepthwiseConv2d', kernelSize);
    checkOptions('DepthwiseConv2d', options, { ...rules, depthMultiplier: count });
    this.depthMultiplier = options.depthMultiplier ?? 1;
    this.options = options;
  }

  /** @internal */
  protected override convolve(input: Tensor, weight: Parameter): Tensor {
    if (this.depthMultiplier === 1) return depthwiseConv2d(input, weight, this.convolutionOptions);
    return conv2d(input, weight, { ...this.convolutionOptions, groups: elementAt(input.shape, 3) });
  }

  /** @internal */
  protected override weightFor(inputChannels: number): WeightPlan {
    const channels = inputChannels * this.depthMultiplier;
    const window = sizeOf(this.kernelSize);
    const own = { fans: { fanIn: window, fanOut: channels * window }, channels };
    if (this.depthMultiplier === 1) {
      const axes = [...this.kernelSize, channels, 1];
      const fileLayouts = { pytorch: { axes, order: [2, 3, 0, 1] }, keras: { axes, order: [0, 1, 2, 3] } };
      return { ...own, shape: [...this.kernelSize, channels], fileLayouts };
    }
    const shape = [channels, ...this.kernelSize, 1];
    const apart = [inputChannels, this.depthMultiplier, ...this.kernelSize];
    const fileLayouts = {
      pytorch: { axes: shape, order: [0, 3, 1, 2] },
      keras: { axes: apart, order: [2, 3, 0, 1] },
    };
    return { ...own, shape, fileLayouts };
  }
}

/**
 * The layer of {@link convTranspose2d}: pictures [N, height, width, in] → [N, height', width', out], larger ones where the
 * stride is more than 1 (PyTorch: ConvTranspose2d, Keras: Conv2DTranspose). The weight is [in, height, width, out / groups],
 * in files as PyTorch has it, [in, out / groups, height, width].
 */
export class ConvTranspose2d extends Convolution {
  override readonly options: ConvTranspose2dLayerOptions;
  /** Channels of an output. */
  readonly outChannels: number;

  /**
   * Throws OptionError where a size is no whole number of 1 or more, for channels that are no multiple of the groups, and for
   * a bad option.
   *
   * @param outChannels channels of an output (Keras: `filters`)
   * @param kernelSize height and width of the window, or one number for both
   */
  constructor(outChannels: number, kernelSize: Pair, options: ConvTranspose2dLayerOptions = {}) {
    super('ConvTranspose2d', kernelSize);
    checkArgument('ConvTranspose2d', 'outChannels', outChannels, count);
    checkOptions('ConvTranspose2d', options, { ...rules, groups: count, outputPadding: outputPaddingRule });
    checkGroups('ConvTranspose2d', outChannels, options.groups);
    this.outChannels = outChannels;
    this.options = options;
  }

  /** @internal */
  protected override convolve(input: Tensor, weight: Parameter): Tensor {
    const { groups = 1, outputPadding = 0 } = this.options;
    return convTranspose2d(input, weight, { ...this.convolutionOptions, groups, outputPadding });
  }

  /** @internal */
  protected override weightFor(inputChannels: number): WeightPlan {
    groupSize(inputChannels, this.options.groups);
    const outGroup = this.outChannels / (this.options.groups ?? 1);
    const shape = [inputChannels, ...this.kernelSize, outGroup];
    const window = sizeOf(this.kernelSize);
    return {
      shape,
      fans: { fanIn: outGroup * window, fanOut: inputChannels * window }, // as PyTorch counts them, which looks at the shape
      fileLayouts: { pytorch: { axes: shape, order: [0, 3, 1, 2] }, keras: { axes: shape, order: [1, 2, 3, 0] } },
      channels: this.outChannels,
    };
  }
}

function checkGroups(layer: string, outChannels: number, groups = 1): void {
  if (outChannels % groups === 0) return;
  throw new OptionError(`${layer}: ${outChannels} channels of the output cannot be divided into ${groups} groups`);
}

/** Channels of the input in one group. */
function groupSize(inputChannels: number, groups = 1): number {
  if (inputChannels % groups === 0) return inputChannels / groups;
  throw new ShapeError(`${inputChannels} channels of the input cannot be divided into ${groups} groups`);
}
