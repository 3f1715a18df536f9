import { elementAt } from '../../element-at.js';
import { type Key, philox4x32, streamOf, unitFloat } from '../../random.js';
import type { Range } from './view-settings.js';

export const AUGMENT_STREAM = streamOf('augment');

/** Where each word that is drawn for a view stands: Philox block and place in it. Gains begin at block 8. */
export const WORDS = {
  horizontalFlip: [0, 0],
  verticalFlip: [0, 1],
  rotation: [0, 2],
  scale: [0, 3],
  shiftX: [1, 0],
  shiftY: [1, 1],
  cropX: [1, 2],
  cropY: [1, 3],
  contrast: [2, 0],
  brightness: [2, 1],
  hue: [2, 2],
  perspective: [2, 3],
  cutOut: [5, 0],
  cutX: [5, 1],
  cutY: [5, 2],
  noise: [5, 3],
  noiseLow: [6, 0],
  noiseHigh: [6, 1],
} as const satisfies Record<string, readonly [block: number, place: number]>;
/** The Philox block of the first two corners, and that of the first four gains. */
export const FIRST_CORNER = 3;
export const FIRST_GAIN = 8;

/** The random numbers of a view, a function of (seed, epoch, row) alone. Blocks are drawn where they are asked for. */
export class Draws {
  readonly #key: Key;
  readonly #epoch: number;
  readonly #row: number;
  readonly #blocks: (readonly number[] | undefined)[] = [];

  constructor(key: Key, epoch: number, row: number) {
    this.#key = key;
    this.#epoch = epoch;
    this.#row = row;
  }

  bits([block, place]: readonly [block: number, place: number]): number {
    const words = (this.#blocks[block] ??= philox4x32([block, this.#epoch, AUGMENT_STREAM, this.#row], this.#key));
    return elementAt(words, place);
  }

  /** Whether something of this chance happens: decided by whole numbers, so that every device decides alike. */
  happens(word: keyof typeof WORDS, chance: number): boolean {
    return chance > 0 && this.bits(WORDS[word]) >>> 8 < thresholdOf(chance);
  }

  unit(word: keyof typeof WORDS): number {
    return unitFloat(this.bits(WORDS[word]));
  }

  between(word: keyof typeof WORDS, [low, high]: Range): number {
    return low === high ? low : low + (high - low) * this.unit(word);
  }

  /** A whole number from 0 to below `choices`. */
  choice(word: keyof typeof WORDS, choices: number): number {
    return choices === 1 ? 0 : Math.floor((this.bits(WORDS[word]) * choices) / 2 ** 32);
  }
}

/** 24-bit numbers below this are what has a chance. */
export function thresholdOf(chance: number): number {
  return Math.round(chance * 2 ** 24);
}
