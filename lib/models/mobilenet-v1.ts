import { Conv2d, DepthwiseConv2d } from '../nn/convolution.js';
import { Dense } from '../nn/dense.js';
import { glorotUniform, zeros } from '../nn/initializers.js';
import { Dropout, ReLU, ReLU6 } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm } from '../nn/normalization.js';
import { GlobalAveragePool } from '../nn/pooling.js';
import { Sequential } from '../nn/sequential.js';
import { boolean, checkOptions, oneOf } from '../options.js';
import type { Tensor } from '../tensor.js';
import { NET_RULES, type NetOptions, WIDTH } from './options.js';

/** Options of {@link mobileNetV1}. */
export interface MobileNetV1Options extends NetOptions {
  /** Probability of dropping a feature before the last layer while training. Default 0.001, as in Keras. */
  readonly dropout?: number;
  /** Every layer has so many times the channels, rounded down (Keras: `alpha`). Default 1. */
  readonly width?: number;
  /** What stands behind each batch norm. Default 'relu6', as in Keras. */
  readonly activation?: 'relu' | 'relu6';
  /** Whether convolutions have a bias. Default false, as in Keras. */
  readonly bias?: boolean;
}

/** Channels and stride of the 13 separable convolutions. */
const SEPARABLE = [
  ...[[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2]], // prettier-ignore
  ...[[512, 1], [512, 1], [512, 1], [512, 1], [512, 1], [1024, 2], [1024, 1]], // prettier-ignore
] as const satisfies readonly (readonly [channels: number, stride: number])[];

/** With a stride, Keras adds zeros below and on the right, whatever the size. */
const paddingOf = (stride: number) => (stride === 2 ? ([0, 1, 0, 1] as const) : 1);

/** A net of {@link mobileNetV1}. Parts may be replaced: `model.fc = new Dense(5)`. */
export class MobileNetV1 extends Module {
  /** All but the head. Its layers go by their own names: `conv1.weight`. */
  readonly features: Sequential;
  /** [N, height, width, channels] → [N, channels] */
  avgpool: Module = new GlobalAveragePool();
  /** Before the last layer, where there is some. */
  dropout: Module | undefined;
  /** The last layer. */
  fc: Module;

  /** @internal */
  constructor(options: MobileNetV1Options) {
    super();
    const { classes = 1000, dropout = 1e-3, width = 1, activation = 'relu6', bias = false } = options;
    const convolution = { bias, weightInitializer: glorotUniform(), biasInitializer: zeros() };
    const layers: Record<string, Module> = {};
    const add = (name: string, layer: Module): void => {
      layers[name] = layer;
      layers[`${name}_bn`] = new BatchNorm({ epsilon: 1e-3, momentum: 0.01 });
      layers[`${name}_relu`] = activation === 'relu6' ? new ReLU6() : new ReLU();
    };
    const pointwise = (channels: number) => Math.max(1, Math.floor(channels * width));
    add('conv1', new Conv2d(pointwise(32), 3, { ...convolution, stride: 2, padding: paddingOf(2) }));
    for (const [i, [channels, stride]] of SEPARABLE.entries()) {
      add(`conv_dw_${i + 1}`, new DepthwiseConv2d(3, { ...convolution, stride, padding: paddingOf(stride) }));
      add(`conv_pw_${i + 1}`, new Conv2d(pointwise(channels), 1, convolution));
    }
    this.features = new Sequential(layers);
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined;
    this.fc = new Dense(classes);
  }

  override children(): [name: string, module: Module][] {
    return super.children().flatMap((child) => (child[1] === this.features ? this.features.children() : [child]));
  }

  override forward(input: Tensor): Tensor {
    const pooled = this.avgpool.forward(this.features.forward(input));
    return this.fc.forward(this.dropout?.forward(pooled) ?? pooled);
  }
}

/**
 * MobileNet (Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017), not built
 * yet: 4,231,976 parameters with 1000 classes. Structure, names and initial weights are those of Keras's MobileNet, whose files load
 * (`loadWeights(path, model, { layout: 'keras' })`) but for the last layer: Keras makes a convolution of it, here it is a
 * Dense `fc`, behind global average pooling and dropout. Pictures [N, height, width, 3] of any size; for Keras's weights the
 * numbers go from -1 to 1. Throws OptionError for a bad option.
 *
 * With `{ width: 0.25, classes: 2, activation: 'relu', bias: true }` it is the net of MLPerf Tiny (Banbury et al. 2021) that tells
 * whether a picture of 96 x 96 shows a person: 216,322 parameters.
 */
export function mobileNetV1(options: MobileNetV1Options = {}): MobileNetV1 {
  const rules = { ...NET_RULES, width: WIDTH, activation: oneOf('relu', 'relu6'), bias: boolean };
  checkOptions('mobileNetV1', options, rules);
  return new MobileNetV1(options);
}
