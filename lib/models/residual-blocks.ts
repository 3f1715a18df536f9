import { checkpoint } from '../graph/checkpoint.js';
import { Conv2d, type Conv2dLayerOptions } from '../nn/convolution.js';
import { ReLU } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm, type BatchNormLayerOptions } from '../nn/normalization.js';
import type { Padding } from '../ops/convolution/window.js';
import { add } from '../ops/pointwise/arithmetic.js';
import type { Tensor } from '../tensor.js';

/** What the convolutions of a net have in common, and its batch norms. */
export interface LayerStyle {
  readonly convolution: Conv2dLayerOptions;
  /** Of the convolutions of 3 x 3. */
  readonly padding: Padding;
  readonly norm?: BatchNormLayerOptions;
  /** Whether a block's values are computed again in the backward pass. */
  readonly checkpoint?: boolean;
}

/** A block of which only input and output need to be kept. */
abstract class ResidualBlock extends Module {
  readonly #isCheckpointed: boolean;

  constructor({ checkpoint: isCheckpointed = false }: LayerStyle) {
    super();
    this.#isCheckpointed = isCheckpointed;
  }

  override forward(input: Tensor): Tensor {
    return this.#isCheckpointed ? checkpoint(() => this.compute(input)) : this.compute(input);
  }

  protected abstract compute(input: Tensor): Tensor;
}

/** What one block differs in from the others. */
export interface BlockOptions {
  /** Of the convolution of 3 x 3, the first of two. */
  readonly stride: number;
  /** What makes the input fit the output that it is added to; left out: it fits already. */
  readonly downsample?: Module | undefined;
  readonly style: LayerStyle;
}

/**
 * output = ReLU(input + BN(conv 3 x 3(ReLU(BN(conv 3 x 3(input)))))), the input downsampled where it does not fit
 * (He et al. 2015, figure 5 on the left). Names are torchvision's.
 */
export class BasicBlock extends ResidualBlock {
  /** The output has so many times the block's channels. */
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly relu = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly downsample: Module | undefined;

  constructor(channels: number, { stride, downsample, style }: BlockOptions) {
    super(style);
    const { convolution, padding, norm } = style;
    this.conv1 = new Conv2d(channels, 3, { ...convolution, stride, padding });
    this.bn1 = new BatchNorm(norm);
    this.conv2 = new Conv2d(channels, 3, { ...convolution, padding });
    this.bn2 = new BatchNorm(norm);
    this.downsample = downsample;
  }

  protected override compute(input: Tensor): Tensor {
    const inner = this.relu.forward(this.bn1.forward(this.conv1.forward(input)));
    const output = this.bn2.forward(this.conv2.forward(inner));
    return this.relu.forward(add(output, this.downsample?.forward(input) ?? input));
  }
}

/**
 * As {@link BasicBlock}, with a convolution of 3 x 3 between two of 1 x 1, the second of which makes four times the channels
 * (He et al. 2015, figure 5 on the right; the stride is in the middle, as in torchvision).
 */
export class Bottleneck extends ResidualBlock {
  /** The output has so many times the block's channels. */
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm;
  readonly relu = new ReLU();
  readonly downsample: Module | undefined;

  constructor(channels: number, { stride, downsample, style }: BlockOptions) {
    super(style);
    const { convolution, padding, norm } = style;
    this.conv1 = new Conv2d(channels, 1, convolution);
    this.bn1 = new BatchNorm(norm);
    this.conv2 = new Conv2d(channels, 3, { ...convolution, stride, padding });
    this.bn2 = new BatchNorm(norm);
    this.conv3 = new Conv2d(channels * Bottleneck.expansion, 1, convolution);
    this.bn3 = new BatchNorm(norm);
    this.downsample = downsample;
  }

  protected override compute(input: Tensor): Tensor {
    const narrow = this.relu.forward(this.bn1.forward(this.conv1.forward(input)));
    const inner = this.relu.forward(this.bn2.forward(this.conv2.forward(narrow)));
    const output = this.bn3.forward(this.conv3.forward(inner));
    return this.relu.forward(add(output, this.downsample?.forward(input) ?? input));
  }
}
