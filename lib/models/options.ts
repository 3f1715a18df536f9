import { number, type OptionRules, wholeNumber } from '../options.js';

/** Options that all nets have. */
export interface NetOptions {
  /** Outputs, one logit a class. Default 1000, those of ImageNet, which published files are for; 10 of {@link resnet8}. */
  readonly classes?: number;
  /** Probability of dropping a feature before the last layer while training. */
  readonly dropout?: number;
}

/** Rules of {@link NetOptions}. */
export const NET_RULES: OptionRules<NetOptions> = {
  classes: wholeNumber({ min: 1 }),
  dropout: number({ min: 0, max: 1 }),
};

/** Of a width multiplier. */
export const WIDTH = number({ above: 0 });
