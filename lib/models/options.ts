import { boolean, number, type OptionRules, wholeNumber } from '../options.js';

/** Options that all nets have. */
export interface NetOptions {
  /** Outputs, one logit a class. Default 1000, those of ImageNet, which published files are for; 10 of {@link resnet8}, 2 of {@link myNet} and {@link convNet}. */
  readonly classes?: number;
  /** Probability of dropping a feature before the last layer while training. */
  readonly dropout?: number;
}

/** Rules of {@link NetOptions}. */
export const NET_RULES: OptionRules<NetOptions> = {
  classes: wholeNumber({ min: 1 }),
  dropout: number({ min: 0, max: 1 }),
};

/** Options of nets that are made of blocks. */
export interface BlockNetOptions extends NetOptions {
  /**
   * Whether training computes a block's values again in the backward pass in place of keeping them ({@link checkpoint}): less
   * memory for about a third more time. Default false.
   */
  readonly checkpoint?: boolean;
}

/** Rules of {@link BlockNetOptions}. */
export const BLOCK_NET_RULES: OptionRules<BlockNetOptions> = { ...NET_RULES, checkpoint: boolean };

/** Of a width multiplier. */
export const WIDTH = number({ above: 0 });
