import type { Session } from './session.js';

/** One step of a random function: which row carries it out, and numbers that it decides by. */
export interface Choice {
  readonly row: string;
  /** Which of the latest values. */
  readonly a: number;
  readonly b: number;
  /** Sizes of what is made for it. */
  readonly size: number;
  /** Everything else. */
  readonly variant: number;
  /** Whether what was computed last is a result of the function. */
  readonly isResult: boolean;
}

/** Carries out a step; does nothing where no value fits. */
export type Row = (session: Session, choice: Choice) => void;

/** Sizes that functions of many steps compute with, and those of functions of few: around tiles and blocks, and none. */
export const SIZES = {
  small: [3, 2, 4, 1, 5, 8, 7, 16, 17, 20, 33, 36, 65],
  large: [64, 130, 3, 257, 31, 1, 1027, 129, 512, 0, 2049, 300, 65],
} as const;

export type Scale = keyof typeof SIZES;

/** One of `options`. */
export function oneOf<const T>(options: readonly [T, ...T[]], choice: number): T {
  return options[choice % options.length] ?? options[0];
}
