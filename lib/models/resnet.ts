import { elementAt } from '../element-at.js';
import { Conv2d } from '../nn/convolution.js';
import { Dense } from '../nn/dense.js';
import { heNormal } from '../nn/initializers.js';
import { Dropout, ReLU } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm } from '../nn/normalization.js';
import { GlobalAveragePool, MaxPool2d } from '../nn/pooling.js';
import { Sequential } from '../nn/sequential.js';
import { boolean, checkOptions } from '../options.js';
import type { Tensor } from '../tensor.js';
import { BLOCK_NET_RULES, type BlockNetOptions } from './options.js';
import { BasicBlock, Bottleneck, type LayerStyle } from './residual-blocks.js';

/** Options of {@link resnet18} and {@link resnet50}. */
export interface ResNetOptions extends BlockNetOptions {
  /** Probability of dropping a feature before the last layer while training. Default 0. */
  readonly dropout?: number;
  /** Whether convolutions have a bias, as in Keras's ResNet50. Default false, as in torchvision. */
  readonly bias?: boolean;
}

/** How the stages of a net are made. */
interface Architecture {
  readonly block: typeof BasicBlock | typeof Bottleneck;
  /** Blocks in each of the four stages, which have 64, 128, 256 and 512 channels. */
  readonly blocks: readonly number[];
}

/** A net of {@link resnet18} or {@link resnet50}. Parts may be replaced: `model.fc = new Dense(5)`. */
export class ResNet extends Module {
  /** 7 × 7, 64 channels, half the height and width. */
  readonly conv1: Conv2d;
  /** Of conv1. */
  readonly bn1 = new BatchNorm();
  /** Of bn1. */
  readonly relu = new ReLU();
  /** 3 × 3, half the height and width once more. */
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  /** Blocks with 64 channels; those of {@link resnet50} give 4 times as many. */
  readonly layer1: Sequential;
  /** Blocks with 128 channels, half the height and width. */
  readonly layer2: Sequential;
  /** Blocks with 256 channels, half the height and width. */
  readonly layer3: Sequential;
  /** Blocks with 512 channels, half the height and width. */
  readonly layer4: Sequential;
  /** [N, height, width, channels] → [N, channels] */
  avgpool: Module = new GlobalAveragePool();
  /** Before the last layer, where there is some. */
  dropout: Module | undefined;
  /** The last layer. */
  fc: Module;

  /** @internal */
  constructor({ block, blocks }: Architecture, options: ResNetOptions) {
    super();
    const { classes = 1000, dropout = 0, bias = false, checkpoint = false } = options;
    const convolution = { bias, weightInitializer: heNormal({ fan: 'fanOut' }) };
    const style: LayerStyle = { convolution, padding: 1, checkpoint };
    this.conv1 = new Conv2d(64, 7, { ...convolution, stride: 2, padding: 3 });
    const stage = (number: number): Sequential => {
      const channels = 64 * 2 ** number;
      const stride = number === 0 ? 1 : 2;
      const outChannels = channels * block.expansion;
      const fits = number === 0 && outChannels === channels; // the stem has 64 channels
      const first = fits
        ? undefined
        : new Sequential([new Conv2d(outChannels, 1, { ...convolution, stride }), new BatchNorm()]);
      return new Sequential(
        Array.from({ length: elementAt(blocks, number) }, (_, place) =>
          place === 0
            ? new block(channels, { stride, downsample: first, style })
            : new block(channels, { stride: 1, style }),
        ),
      );
    };
    [this.layer1, this.layer2, this.layer3, this.layer4] = [stage(0), stage(1), stage(2), stage(3)];
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined;
    this.fc = new Dense(classes);
  }

  override forward(input: Tensor): Tensor {
    let features = this.maxpool.forward(this.relu.forward(this.bn1.forward(this.conv1.forward(input))));
    for (const stage of [this.layer1, this.layer2, this.layer3, this.layer4]) features = stage.forward(features);
    const pooled = this.avgpool.forward(features);
    return this.fc.forward(this.dropout?.forward(pooled) ?? pooled);
  }
}

/**
 * ResNet-18 (He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition", 2015; table 1), not built yet: 11,689,512
 * parameters with 1000 classes. Structure, names and initial weights are torchvision's: its file `resnet18` loads. Pictures
 * [N, height, width, 3] of any size, best 224 x 224, each channel of the numbers from 0 to 1 less its mean (0.485, 0.456, 0.406), divided by
 * its deviation (0.229, 0.224, 0.225) for those weights. Throws OptionError for a bad option.
 */
export function resnet18(options: ResNetOptions = {}): ResNet {
  checkOptions('resnet18', options, { ...BLOCK_NET_RULES, bias: boolean });
  return new ResNet({ block: BasicBlock, blocks: [2, 2, 2, 2] }, options);
}

/**
 * ResNet-50 (He et al. 2015; table 1, with the stride in the convolution of 3 x 3, as all have it today), not built yet:
 * 25,557,032 parameters with 1000 classes. Structure, names, initial weights and pictures as of {@link resnet18}:
 * torchvision's file `resnet50` loads. Throws OptionError for a bad option.
 *
 *     const model = resnet50({ classes: 2, dropout: 0.5 }).build([224, 224, 3]);
 */
export function resnet50(options: ResNetOptions = {}): ResNet {
  checkOptions('resnet50', options, { ...BLOCK_NET_RULES, bias: boolean });
  return new ResNet({ block: Bottleneck, blocks: [3, 4, 6, 3] }, options);
}
