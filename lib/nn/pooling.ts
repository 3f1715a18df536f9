import { elementAt } from '../element-at.js';
import { checkArgument, checkOptions, type OptionRule } from '../options.js';
import { type Padding, paddingRule, type Pair, pairRule, windowOf } from '../ops/convolution/window.js';
import { pad } from '../ops/moving/pad.js';
import { checkUpsampleOptions, upsample, type UpsampleOptions } from '../ops/moving/upsample.js';
import { AVERAGE_POOL_RULES, averagePool2d, type AveragePool2dOptions } from '../ops/pooling/average-pool2d.js';
import { globalAveragePool, globalMaxPool } from '../ops/pooling/global-pool.js';
import { MAX_POOL_RULES, maxPool2d, type MaxPool2dOptions } from '../ops/pooling/max-pool2d.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';

/** The layer of {@link maxPool2d}: the largest element of each window (PyTorch: `MaxPool2d`; Keras: `MaxPooling2D`). */
export class MaxPool2d extends Module {
  /** Height and width of a window. */
  readonly size: Pair;
  /** As given to the constructor. */
  readonly options: Omit<MaxPool2dOptions, 'size'>;

  /** @param size height and width of a window. Throws OptionError for a bad size or option. */
  constructor(size: Pair, options: Omit<MaxPool2dOptions, 'size'> = {}) {
    super();
    checkArgument('MaxPool2d', 'size', size, pairRule);
    checkOptions('MaxPool2d', options, MAX_POOL_RULES);
    this.size = size;
    this.options = options;
  }

  override forward(input: Tensor): Tensor {
    return maxPool2d(input, { ...this.options, size: this.size });
  }
}

/** The layer of {@link averagePool2d}: the mean of each window (PyTorch: `AvgPool2d`; Keras: `AveragePooling2D`). */
export class AveragePool2d extends Module {
  /** Height and width of a window. */
  readonly size: Pair;
  /** As given to the constructor. */
  readonly options: Omit<AveragePool2dOptions, 'size'>;

  /** @param size height and width of a window. Throws OptionError for a bad size or option. */
  constructor(size: Pair, options: Omit<AveragePool2dOptions, 'size'> = {}) {
    super();
    checkArgument('AveragePool2d', 'size', size, pairRule);
    checkOptions('AveragePool2d', options, AVERAGE_POOL_RULES);
    this.size = size;
    this.options = options;
  }

  override forward(input: Tensor): Tensor {
    return averagePool2d(input, { ...this.options, size: this.size });
  }
}

/**
 * The layer of {@link globalAveragePool}: [N, H, W, C] → [N, C] (PyTorch: `AdaptiveAvgPool2d(1)` and a flatten; Keras:
 * `GlobalAveragePooling2D`).
 */
export class GlobalAveragePool extends Module {
  override forward(input: Tensor): Tensor {
    return globalAveragePool(input);
  }
}

/**
 * The layer of {@link globalMaxPool}: [N, H, W, C] → [N, C] (PyTorch: `AdaptiveMaxPool2d(1)` and a flatten; Keras:
 * `GlobalMaxPooling2D`).
 */
export class GlobalMaxPool extends Module {
  override forward(input: Tensor): Tensor {
    return globalMaxPool(input);
  }
}

const ZEROS: OptionRule = {
  expected: 'a whole number of 0 or more, [height, width] or [top, bottom, left, right]',
  accepts: (value) => typeof value !== 'string' && paddingRule.accepts(value),
};

/** Zeros around pictures [N, H, W, C] (PyTorch: `ZeroPad2d`, which counts left, right, top, bottom; Keras: `ZeroPadding2D`). */
export class ZeroPadding2d extends Module {
  /** As many zeros on all sides, `[height, width]`, or `[top, bottom, left, right]`. */
  readonly padding: Exclude<Padding, string>;

  /** @param padding as many zeros on all sides, `[height, width]`, or `[top, bottom, left, right]`. Throws OptionError. */
  constructor(padding: Exclude<Padding, string>, ...unexpected: readonly never[]) {
    super(...unexpected);
    checkArgument('ZeroPadding2d', 'padding', padding, ZEROS);
    this.padding = padding;
  }

  override forward(input: Tensor): Tensor {
    const { padding } = windowOf([1, 1], [1, 1], { padding: this.padding });
    const along = (axis: 0 | 1) => [elementAt(padding, 2 * axis), elementAt(padding, 2 * axis + 1)] as const;
    return pad(input, [[0, 0], along(0), along(1), [0, 0]]);
  }
}

/** The layer of {@link upsample}: pictures in another size (PyTorch: `Upsample`; Keras: `UpSampling2D`). */
export class Upsample extends Module {
  /** As given to the constructor. */
  readonly options: UpsampleOptions;

  /** Throws OptionError for a bad option. */
  constructor(options: UpsampleOptions) {
    super();
    checkUpsampleOptions('Upsample', options);
    this.options = options;
  }

  override forward(input: Tensor): Tensor {
    return upsample(input, this.options);
  }
}
