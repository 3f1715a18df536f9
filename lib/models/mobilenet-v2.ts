import { checkpoint } from '../graph/checkpoint.js';
import { Conv2d, DepthwiseConv2d } from '../nn/convolution.js';
import { Dense } from '../nn/dense.js';
import { heNormal, zeros } from '../nn/initializers.js';
import { Dropout, ReLU6 } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm } from '../nn/normalization.js';
import { GlobalAveragePool } from '../nn/pooling.js';
import { Sequential } from '../nn/sequential.js';
import { add } from '../ops/pointwise/arithmetic.js';
import { checkOptions } from '../options.js';
import { sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { BLOCK_NET_RULES, type BlockNetOptions, WIDTH } from './options.js';

/** Options of {@link mobileNetV2}. */
export interface MobileNetV2Options extends BlockNetOptions {
  /** Probability of dropping a feature before the last layer while training. Default 0.2, as in torchvision. */
  readonly dropout?: number;
  /** Every layer has so many times the channels, rounded to a multiple of 8. Default 1. */
  readonly width?: number;
}

/** Table 2 of the paper: expansion, channels, blocks, stride of the first block. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const CONVOLUTION = { bias: false, weightInitializer: heNormal({ fan: 'fanOut' }) };

/** The multiple of 8 next to it; never less than nine tenths of it. */
function toEights(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/** A convolution with its batch norm and ReLU6, as torchvision names them: 0, 1 and 2. */
function normed(convolution: Module): Sequential {
  return new Sequential([convolution, new BatchNorm(), new ReLU6()]);
}

/**
 * Pictures are made wider by a convolution of 1 x 1, convolved channel by channel, made narrow again by one of 1 x 1 without an
 * activation, and added to the input where they fit it (Sandler et al. 2018, figure 3b).
 */
export class InvertedResidual extends Module {
  readonly conv: Sequential;
  readonly #isResidual: boolean;
  readonly #isCheckpointed: boolean;

  constructor(
    channels: { readonly in: number; readonly out: number },
    stride: number,
    expansion: number,
    isCheckpointed: boolean,
  ) {
    super();
    this.#isCheckpointed = isCheckpointed;
    const widening = new Conv2d(channels.in * expansion, 1, CONVOLUTION);
    this.conv = new Sequential([
      ...(expansion === 1 ? [] : [normed(widening)]),
      normed(new DepthwiseConv2d(3, { ...CONVOLUTION, stride, padding: 1 })),
      new Conv2d(channels.out, 1, CONVOLUTION),
      new BatchNorm(),
    ]);
    this.#isResidual = stride === 1 && channels.in === channels.out;
  }

  override forward(input: Tensor): Tensor {
    return this.#isCheckpointed ? checkpoint(() => this.#compute(input)) : this.#compute(input);
  }

  #compute(input: Tensor): Tensor {
    const output = this.conv.forward(input);
    return this.#isResidual ? add(input, output) : output;
  }
}

/** A net of {@link mobileNetV2}. Parts may be replaced: `model.classifier = new Dense(5)`. */
export class MobileNetV2 extends Module {
  /** All but the head. */
  readonly features: Sequential;
  /** [N, height, width, channels] → [N, channels] */
  avgpool: Module = new GlobalAveragePool();
  /** Dropout and the last layer. */
  classifier: Module;

  /** @internal */
  constructor(options: MobileNetV2Options) {
    super();
    const { classes = 1000, dropout = 0.2, width = 1, checkpoint: isCheckpointed = false } = options;
    let channels = toEights(32 * width);
    const layers: Module[] = [normed(new Conv2d(channels, 3, { ...CONVOLUTION, stride: 2, padding: 1 }))];
    for (const [expansion, unscaled, blocks, stride] of STAGES) {
      const out = toEights(unscaled * width);
      for (let block = 0; block < blocks; block++) {
        const first = block === 0;
        layers.push(new InvertedResidual({ in: channels, out }, first ? stride : 1, expansion, isCheckpointed));
        channels = out;
      }
    }
    layers.push(normed(new Conv2d(toEights(1280 * Math.max(1, width)), 1, CONVOLUTION)));
    this.features = new Sequential(layers);
    const head = new Dense(classes, {
      weightInitializer: (shape, _, random) => random.normal(sizeOf(shape), 0, 0.01),
      biasInitializer: zeros(),
    });
    this.classifier = new Sequential([new Dropout(dropout), head]);
  }

  override forward(input: Tensor): Tensor {
    return this.classifier.forward(this.avgpool.forward(this.features.forward(input)));
  }
}

/**
 * MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018), not built yet: 3,504,872
 * parameters with 1000 classes. Structure, names and initial weights are torchvision's: its file `mobilenet_v2` loads.
 * Pictures [N, height, width, 3] of any size, with the means and deviations of {@link resnet18} for those weights.
 * Throws OptionError for a bad option.
 */
export function mobileNetV2(options: MobileNetV2Options = {}): MobileNetV2 {
  checkOptions('mobileNetV2', options, { ...BLOCK_NET_RULES, width: WIDTH });
  return new MobileNetV2(options);
}
