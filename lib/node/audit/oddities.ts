import type { WholePicture } from '../pictures/decoded-picture.js';
import type { Oddity } from './report.js';

/** What is kept of a picture to tell whether it is odd. */
export interface Traits {
  readonly width: number;
  readonly height: number;
  readonly isTransparent: boolean;
  readonly isAnimated: boolean;
  readonly isGrey: boolean;
}

const SHORTEST_SIDE = 8;
const AREA_FACTOR = 16;
const ASPECT_FACTOR = 2;

export function traitsOf({ width, height, pixels, isTransparent, isAnimated }: WholePicture): Traits {
  return { width, height, isTransparent, isAnimated, isGrey: isGrey(pixels) };
}

/** In which ways each picture is odd among the others. */
export function oddities(pictures: readonly Traits[]): Oddity[][] {
  const area = middle(pictures.map(({ width, height }) => width * height));
  const aspect = middle(pictures.map(({ width, height }) => width / height));
  const mostHaveColour = 2 * pictures.filter(({ isGrey }) => isGrey).length < pictures.length;
  return pictures.map(({ width, height, isTransparent, isAnimated, isGrey }) => {
    const factor = width / height / aspect;
    const is: Readonly<Record<Oddity, boolean>> = {
      tiny: width * height * AREA_FACTOR < area || Math.min(width, height) < SHORTEST_SIDE,
      huge: width * height > AREA_FACTOR * area,
      elongated: Math.max(factor, 1 / factor) > ASPECT_FACTOR,
      transparent: isTransparent,
      animated: isAnimated,
      grey: isGrey && mostHaveColour,
    };
    return ODDITIES.filter((oddity) => is[oddity]);
  });
}

/** All of them, in the order in which they are told. */
export const ODDITIES: readonly Oddity[] = ['tiny', 'huge', 'elongated', 'transparent', 'animated', 'grey'];

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function isGrey(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  }
  return true;
}
