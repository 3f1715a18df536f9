import { Conv2d } from '../nn/convolution.js';
import { Dense } from '../nn/dense.js';
import { heNormal, zeros } from '../nn/initializers.js';
import { Dropout, ReLU } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm } from '../nn/normalization.js';
import { GlobalAveragePool } from '../nn/pooling.js';
import { Sequential } from '../nn/sequential.js';
import { checkOptions } from '../options.js';
import type { Tensor } from '../tensor.js';
import { NET_RULES, type NetOptions } from './options.js';
import { BasicBlock, type LayerStyle } from './residual-blocks.js';

/** Options of {@link resnet8}. */
export interface ResNet8Options extends NetOptions {
  /** Probability of dropping a feature before the last layer while training. Default 0. */
  readonly dropout?: number;
}

/** As Keras has them. */
const STYLE = {
  convolution: { weightInitializer: heNormal(), biasInitializer: zeros() },
  padding: 'same',
  norm: { epsilon: 1e-3, momentum: 0.01 },
} as const satisfies LayerStyle;

/** A net of {@link resnet8}. Parts may be replaced: `model.fc = new Dense(5)`. */
export class ResNet8 extends Module {
  /** 3 × 3, 16 channels. */
  readonly conv1 = new Conv2d(16, 3, { ...STYLE.convolution, padding: 'same' });
  /** Of conv1. */
  readonly bn1 = new BatchNorm(STYLE.norm);
  /** Of bn1. */
  readonly relu = new ReLU();
  /** A block with 16 channels. */
  readonly layer1 = new Sequential([new BasicBlock(16, { stride: 1, style: STYLE })]);
  /** A block with 32 channels, half the height and width. */
  readonly layer2 = new Sequential([narrowing(32)]);
  /** A block with 64 channels, half the height and width. */
  readonly layer3 = new Sequential([narrowing(64)]);
  /** [N, height, width, channels] → [N, channels] */
  avgpool: Module = new GlobalAveragePool();
  /** Before the last layer, where there is some. */
  dropout: Module | undefined;
  /** The last layer. */
  fc: Module;

  /** @internal */
  constructor({ classes = 10, dropout = 0 }: ResNet8Options) {
    super();
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined;
    this.fc = new Dense(classes);
  }

  override forward(input: Tensor): Tensor {
    let features = this.relu.forward(this.bn1.forward(this.conv1.forward(input)));
    for (const stage of [this.layer1, this.layer2, this.layer3]) features = stage.forward(features);
    const pooled = this.avgpool.forward(features);
    return this.fc.forward(this.dropout?.forward(pooled) ?? pooled);
  }
}

/** A block that halves height and width, with more channels. */
function narrowing(channels: number): BasicBlock {
  const downsample = new Conv2d(channels, 1, { ...STYLE.convolution, stride: 2 });
  return new BasicBlock(channels, { stride: 2, downsample, style: STYLE });
}

/**
 * ResNet-8 for CIFAR-10, not built yet: 78,186 parameters (Banbury et al., "MLPerf Tiny Benchmark", 2021: its net for image
 * classification). A small {@link resnet18}: three blocks, convolutions with bias, the input downsampled by a bare
 * convolution, padding and batch norm (epsilon 0.001, momentum 0.01) as Keras has them. The weights of
 * github.com/mlcommons/tiny load where they have torchvision's names. Those take pictures [N, 32, 32, 3] of bytes as they are, from 0 to 255.
 * Throws OptionError for a bad option.
 */
export function resnet8(options: ResNet8Options = {}): ResNet8 {
  checkOptions('resnet8', options, NET_RULES);
  return new ResNet8(options);
}
