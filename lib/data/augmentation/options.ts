import { PLAIN_VIEWS, type Range, type ViewSettings } from '../../ops/augment/view-settings.js';
import {
  checkOptions,
  number,
  oneOf,
  type OptionRule,
  type OptionRules,
  required,
  wholeNumber,
} from '../../options.js';
import type { Normalization } from '../normalization.js';
import type { PictureLayout } from '../picture-layout.js';
import type { PictureSize } from '../resize.js';

/**
 * Options of {@link augmentation}. What is left out is off. Ranges are drawn from evenly, for each picture and each epoch
 * anew; a chance is a number from 0 to 1.
 */
export interface AugmentationOptions {
  /** Chance of being mirrored, left to right (torchvision: `RandomHorizontalFlip(p)`). */
  readonly horizontalFlip?: number;
  /** Chance of being mirrored, top to bottom (torchvision: `RandomVerticalFlip(p)`). */
  readonly verticalFlip?: number;
  /**
   * Degrees around the middle, counter-clockwise: from … to, or one number for either way; 180 is any (torchvision:
   * `RandomRotation(degrees)`; Keras: `RandomRotation`, in parts of a turn).
   */
  readonly rotation?: number | Range;
  /**
   * How many times as large things become: from … to, even in the logarithm (torchvision: `RandomAffine(scale)`, even in the
   * factor; Keras: `RandomZoom`).
   */
  readonly scale?: Range;
  /**
   * Up to so much of width and height, either way; one number, or [of the width, of the height] (torchvision:
   * `RandomAffine(translate)`; Keras: `RandomTranslation`).
   */
  readonly shift?: number | readonly [ofWidth: number, ofHeight: number];
  /**
   * Each corner moves inward by up to `distortion` of half the width and height (torchvision:
   * `RandomPerspective(distortion_scale, p)`). Defaults: 0.5, from 0 to below 1, with chance 0.5.
   */
  readonly perspective?: {
    /** Share of half the width and height. */
    readonly distortion?: number;
    /** Chance of it. */
    readonly probability?: number;
  };
  /**
   * A view is a window of the picture, of `size`, at a random place, with so many pixels around the picture (torchvision:
   * `RandomCrop(size, padding)`). Left out, it is the whole picture, squeezed. Default padding 0.
   */
  readonly crop?: {
    /** Pixels on each side. */
    readonly padding?: number;
  };
  /** Width and height of a view. Default: those of the picture. */
  readonly size?: PictureSize;
  /**
   * What lies outside of the picture: its mean colour, its nearest pixel (torchvision: `padding_mode='edge'`; Keras:
   * `fill_mode='nearest'`), or a number from 0, black, to 1, white. Default 'mean'.
   */
  readonly fill?: 'mean' | 'edge' | number;
  /**
   * Contrast about the mean grey of the picture: factors from … to, or b for 1 - b … 1 + b (torchvision:
   * `ColorJitter(contrast)`).
   */
  readonly contrast?: number | Range;
  /** Brightness: factors, in the same way (torchvision: `ColorJitter(brightness)`). */
  readonly brightness?: number | Range;
  /** Each channel's brightness: factors, in the same way (Keras: none; imgaug: `Multiply(per_channel)`). */
  readonly channelGain?: number | Range;
  /**
   * Turns of the colour wheel: from … to, or one number for either way, up to 0.5 (torchvision: `ColorJitter(hue)`, which goes
   * through HSV; this is W3C's `hueRotate`, which keeps the brightness). Of three channels.
   */
  readonly hue?: number | Range;
  /** Salt and pepper: a share of the pixels becomes black or white. Defaults: 0.05, with chance 0.5. */
  readonly noise?: {
    /** Of the pixels. */
    readonly share?: number;
    /** Chance of it. */
    readonly probability?: number;
  };
  /**
   * A square of `size` pixels within the view is filled: with the picture's mean grey, or with a number from 0 to 1 (DeVries
   * & Taylor 2017; torchvision: `RandomErasing(p, value)`). Defaults: chance 0.5, 'mean'.
   */
  readonly cutOut?: {
    /** Pixels of a side. */
    readonly size: number;
    /** Chance of it. */
    readonly probability?: number;
    /** What it is filled with. */
    readonly fill?: 'mean' | number;
  };
  /**
   * Each example is mixed with another one of the data set, as that one looks in this epoch, and so are their targets
   * (Zhang et al. 2018; torchvision and Keras: `MixUp(alpha)`): λ · its own + (1 - λ) · the other's. λ is the larger one of a
   * pair that the distribution Beta(mixup, mixup) draws, so that the own class is the main one.
   */
  readonly mixup?: number;
  /** Where the channels are, of 1 to 4. Default: where the shape of an input tells. */
  readonly layout?: PictureLayout;
  /** Of pictures whose numbers are not values from 0 to 1: how they were made of such. Colours go by the values. */
  readonly normalization?: Normalization;
}

const CHANCE = number({ min: 0, max: 1 });

const rangeRule = (expected: string, accepts: (low: number, high: number) => boolean): OptionRule => ({
  expected: `${expected}, or a list of two of them, from … to`,
  accepts: (value) => {
    const [low, high] = Array.isArray(value) ? (value as readonly unknown[]) : [value, value];
    if (Array.isArray(value) && value.length !== 2) return false;
    if (typeof low !== 'number' || typeof high !== 'number' || !Number.isFinite(low + high)) return false;
    return low <= high && accepts(low, high);
  },
});
const FACTORS = rangeRule('a number of 0 or more', (low) => low >= 0);
const isTwo = (value: unknown): value is readonly [unknown, unknown] => Array.isArray(value) && value.length === 2;
const objectRule: OptionRule = {
  expected: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};
const fillRule = (...words: readonly string[]): OptionRule => ({
  expected: `${words.map((word) => `'${word}'`).join(', ')} or a number of 0 or more and of 1 or less`,
  accepts: (value) => words.some((word) => word === value) || CHANCE.accepts(value),
});

const RULES: OptionRules<AugmentationOptions> = {
  horizontalFlip: CHANCE,
  verticalFlip: CHANCE,
  rotation: rangeRule('a number of degrees', (low, high) => low >= -360 && high <= 360),
  scale: {
    expected: 'a list of two numbers above 0, from … to',
    accepts: (value) => isTwo(value) && rangeRule('', (low) => low > 0).accepts(value),
  },
  shift: {
    expected: 'a number of 0 or more and of 1 or less, or [of the width, of the height]',
    accepts: (value) => (isTwo(value) ? value : [value]).every(CHANCE.accepts),
  },
  perspective: objectRule,
  crop: objectRule,
  size: objectRule,
  fill: fillRule('mean', 'edge'),
  contrast: FACTORS,
  brightness: FACTORS,
  channelGain: FACTORS,
  hue: rangeRule('a number of turns, from -0.5 to 0.5', (low, high) => low >= -0.5 && high <= 0.5),
  noise: objectRule,
  cutOut: objectRule,
  mixup: number({ above: 0 }),
  layout: oneOf('channels-last', 'channels-first'),
  normalization: {
    expected: 'lists of finite numbers, as many, { mean, deviation }, no deviation of 0',
    accepts: (value) => isNormalization(value),
  },
};

function isNormalization(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('mean' in value) || !('deviation' in value)) return false;
  const { mean, deviation } = value;
  return (
    Array.isArray(mean) &&
    Array.isArray(deviation) &&
    mean.length === deviation.length &&
    mean.every((entry) => Number.isFinite(entry)) &&
    deviation.every((entry) => Number.isFinite(entry) && entry !== 0)
  );
}

/** Throws OptionError for what cannot be used. */
export function checkAugmentationOptions(options: AugmentationOptions): void {
  checkOptions('augmentation', options, RULES);
  const { perspective, crop, size, noise, cutOut } = options;
  const pixels = wholeNumber({ min: 1 });
  checkOptions('augmentation, perspective', perspective ?? {}, {
    distortion: number({ min: 0, below: 1 }),
    probability: CHANCE,
  });
  checkOptions('augmentation, crop', crop ?? {}, { padding: wholeNumber({ min: 0 }) });
  if (size) checkOptions('augmentation, size', size, { width: required(pixels), height: required(pixels) });
  checkOptions('augmentation, noise', noise ?? {}, { share: CHANCE, probability: CHANCE });
  if (cutOut) {
    const rules = { size: required(pixels), probability: CHANCE, fill: fillRule('mean') };
    checkOptions('augmentation, cutOut', cutOut, rules);
  }
}

/** From … to of a number either way, or of a range. */
function eitherWay(value: number | Range): Range {
  return typeof value === 'number' ? [-Math.abs(value), Math.abs(value)] : value;
}

/** Factors from … to, of how far from 1, or of a range. */
function factors(value: number | Range): Range {
  return typeof value === 'number' ? [Math.max(0, 1 - value), 1 + value] : value;
}

/** What is drawn, for pictures and views of any size. */
export type DrawnSettings = Omit<ViewSettings, 'picture' | 'view'>;

/** What is drawn by options. */
export function drawnOf(options: AugmentationOptions): DrawnSettings {
  const { perspective, crop, fill = 'mean', noise, cutOut } = options;
  const shift = options.shift ?? 0;
  const cutFill = cutOut?.fill ?? 'mean';
  return {
    ...PLAIN_VIEWS,
    ...(crop && { crop: 'random' as const, padding: crop.padding ?? 0 }),
    horizontalFlip: options.horizontalFlip ?? 0,
    verticalFlip: options.verticalFlip ?? 0,
    rotation: eitherWay(options.rotation ?? 0),
    scale: options.scale ?? [1, 1],
    shift: typeof shift === 'number' ? [shift, shift] : shift,
    ...(perspective && { perspective: [perspective.distortion ?? 0.5, perspective.probability ?? 0.5] }),
    fill: typeof fill === 'number' ? fill : fill === 'edge' ? 0 : null,
    contrast: factors(options.contrast ?? 0),
    brightness: factors(options.brightness ?? 0),
    gain: factors(options.channelGain ?? 0),
    hue: eitherWay(options.hue ?? 0),
    ...(noise && { noise: [noise.share ?? 0.05, noise.probability ?? 0.5] }),
    ...(cutOut && { cutOut: [cutOut.size, cutOut.probability ?? 0.5] }),
    cutFill: cutFill === 'mean' ? null : cutFill,
  };
}
