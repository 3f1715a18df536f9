import { Dense } from '../nn/dense.js';
import { Dropout } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { flatten } from '../ops/moving/reshape.js';
import { relu } from '../ops/pointwise/activations.js';
import { checkOptions, wholeNumber } from '../options.js';
import type { Tensor } from '../tensor.js';
import { NET_RULES, type NetOptions } from './options.js';

/** Options of {@link myNet}. */
export interface MyNetOptions extends NetOptions {
  /** Units of the hidden layer. Default 200. */
  readonly hidden?: number;
}

/** A net of {@link myNet}. */
export class MyNet extends Module {
  /** The hidden layer. */
  readonly fc1: Dense;
  /** Of what the hidden layer gives. */
  readonly dropout: Dropout;
  /** The last layer. */
  readonly fc2: Dense;

  /** @internal */
  constructor({ classes = 2, hidden = 200, dropout = 0.5 }: MyNetOptions) {
    super();
    this.fc1 = new Dense(hidden);
    this.dropout = new Dropout(dropout);
    this.fc2 = new Dense(classes);
  }

  override forward(input: Tensor): Tensor {
    return this.fc2.forward(this.dropout.forward(relu(this.fc1.forward(flatten(input)))));
  }
}

/**
 * MyNet, the small net of an article about telling two kinds of wrenches apart
 * (https://qiita.com/moriitkys/items/316fcca8d83dfa706597), not built yet: picture → Dense 200 → ReLU → dropout 0.5 → Dense;
 * 471,002 parameters with pictures of 28 x 28 and 2 classes, which is its default. Inputs [N, ..] of any shape are flattened:
 * the article's are pictures [N, 3, 28, 28] of numbers from 0 to 1. Its parameters have the names and layouts of the same net
 * in PyTorch: fc1.weight [200, 2352], fc1.bias, fc2.weight [2, 200], fc2.bias. Throws OptionError for a bad option.
 */
export function myNet(options: MyNetOptions = {}): MyNet {
  checkOptions('myNet', options, { ...NET_RULES, hidden: wholeNumber({ min: 1 }) });
  return new MyNet(options);
}

/** A net of {@link myNet2}. */
export class MyNet2 extends Module {
  /** The first hidden layer. */
  readonly fc1 = new Dense(200);
  /** The second hidden layer. */
  readonly fc2 = new Dense(100);
  /** Of what each hidden layer gives. */
  readonly dropout: Dropout;
  /** The last layer. */
  readonly fc3: Dense;

  /** @internal */
  constructor({ classes = 2, dropout = 0.5 }: NetOptions) {
    super();
    this.dropout = new Dropout(dropout);
    this.fc3 = new Dense(classes);
  }

  override forward(input: Tensor): Tensor {
    let features = flatten(input);
    for (const layer of [this.fc1, this.fc2]) features = this.dropout.forward(relu(layer.forward(features)));
    return this.fc3.forward(features);
  }
}

/**
 * MyNet2, the article's deeper variant of {@link myNet}, not built yet: picture → Dense 200 → Dense 100 → Dense, with ReLU and
 * dropout (default 0.5) behind each hidden layer; 490,902 parameters with pictures of 28 x 28 and 2 classes, which is its
 * default. Throws OptionError for a bad option.
 */
export function myNet2(options: NetOptions = {}): MyNet2 {
  checkOptions('myNet2', options, NET_RULES);
  return new MyNet2(options);
}
