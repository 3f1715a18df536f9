import { activeTrace } from '../graph/trace.js';
import { relu, relu6, sigmoid, tanh } from '../ops/pointwise/activations.js';
import { dropout } from '../ops/random/dropout.js';
import { flatten } from '../ops/moving/reshape.js';
import { softmax } from '../ops/normalize/softmax.js';
import type { Tensor } from '../tensor.js';
import { checkArgument, checkOptions, number, wholeNumber } from '../options.js';
import { Module } from './module.js';

/** The layer of {@link relu}: max(x, 0). */
export class ReLU extends Module {
  override forward(input: Tensor): Tensor {
    return relu(input);
  }
}

/** The layer of {@link relu6}: min(max(x, 0), 6). */
export class ReLU6 extends Module {
  override forward(input: Tensor): Tensor {
    return relu6(input);
  }
}

/** The layer of {@link sigmoid}: 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}

/** The layer of {@link tanh}. */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    return tanh(input);
  }
}

/** Options of {@link Softmax}. */
export interface SoftmaxOptions {
  /** The axis whose numbers come to 1; counted from the end where negative. Default -1. */
  readonly axis?: number;
}

/** The layer of {@link softmax}, along the last axis by default. Losses take logits: do not put it before them. */
export class Softmax extends Module {
  /** Counted from the end where negative. */
  readonly axis: number;

  /** Throws OptionError for an unknown option, or an axis that is no whole number. */
  constructor(options: SoftmaxOptions = {}) {
    super();
    checkOptions('Softmax', options, { axis: wholeNumber() });
    this.axis = options.axis ?? -1;
  }

  override forward(input: Tensor): Tensor {
    return softmax(input, { axis: this.axis });
  }
}

/** Merges all axes but the batch: [N, ..] → [N, product]. */
export class Flatten extends Module {
  override forward(input: Tensor): Tensor {
    return flatten(input);
  }
}

/**
 * Sets each element to 0 with the given probability while training, and scales the rest by 1 / (1 - p); hands its
 * input on in evaluation. Masks come from the model's seed, another one at each step (PyTorch and Keras: `Dropout(p)`).
 */
export class Dropout extends Module {
  /** Of dropping an element. */
  readonly probability: number;

  /** @param probability of dropping. Throws OptionError outside of [0, 1]. */
  constructor(probability: number, ...unexpected: readonly never[]) {
    super(...unexpected);
    checkArgument('Dropout', 'probability', probability, number({ min: 0, max: 1 }));
    this.probability = probability;
  }

  override forward(input: Tensor): Tensor {
    if (!this.training || activeTrace()?.mode?.dropout === false) return input;
    const { generator, path } = this.scope;
    return dropout(input, { probability: this.probability, generator, stream: `${path}.mask` });
  }
}
