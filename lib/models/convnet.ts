import { Conv2d } from '../nn/convolution.js';
import { Dense } from '../nn/dense.js';
import { Dropout, ReLU } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm } from '../nn/normalization.js';
import { GlobalMaxPool, MaxPool2d } from '../nn/pooling.js';
import { Sequential } from '../nn/sequential.js';
import { checkOptions } from '../options.js';
import type { Tensor } from '../tensor.js';
import { NET_RULES, type NetOptions } from './options.js';

/** Channels of the four stages. */
const CHANNELS = [16, 32, 64, 128];

/** A net of {@link convNet}. */
export class ConvNet extends Module {
  /** The four stages: `features.3` is the one with 128 channels. */
  readonly features: Sequential;
  /** [N, height, width, channels] → [N, channels] */
  readonly pool = new GlobalMaxPool();
  /** Before the last layer. */
  readonly dropout: Dropout;
  /** The last layer. */
  readonly fc: Dense;

  /** @internal */
  constructor({ classes = 2, dropout = 0.2 }: NetOptions) {
    super();
    this.features = new Sequential(
      CHANNELS.map(
        (channels) =>
          new Sequential([
            new Conv2d(channels, 3, { padding: 1, bias: false }),
            new BatchNorm(),
            // The same as ReLU and then the maximum, also backward, on a quarter of the numbers.
            new MaxPool2d(2),
            new ReLU(),
          ]),
      ),
    );
    this.dropout = new Dropout(dropout);
    this.fc = new Dense(classes);
  }

  override forward(input: Tensor): Tensor {
    return this.fc.forward(this.dropout.forward(this.pool.forward(this.features.forward(input))));
  }
}

/**
 * A small convolutional net, the one to start with, not built yet: four times convolution 3 x 3 → batch norm → ReLU → maximum
 * of 2 x 2, with 16, 32, 64 and 128 channels, then the largest value of each channel in the whole picture, dropout (default
 * 0.2), and a Dense layer; 97,938 parameters with 2 classes, which is its default. Pictures [N, height, width, 3] of any size of
 * at least 16 x 16, best with numbers from -2 to 2. Throws OptionError for a bad option.
 */
export function convNet(options: NetOptions = {}): ConvNet {
  checkOptions('convNet', options, NET_RULES);
  return new ConvNet(options);
}
