/** From … to. */
export type Range = readonly [low: number, high: number];
/** Two numbers that belong together: of the width and of the height, or how much and with which chance. */
export type Pair = readonly [number, number];

/** How views are drawn. What is off is 0, or a range of one number that changes nothing. */
export type ViewSettings = {
  /** Height and width of the pictures, and of their views. */
  readonly picture: Pair;
  readonly view: Pair;
  /** A view is the whole picture, squeezed, or a window of it: at a random place, or in its middle. */
  readonly crop: 'none' | 'random' | 'middle';
  /** Pixels around the picture, within which a random window may be. */
  readonly padding: number;
  /** Chances. */
  readonly horizontalFlip: number;
  readonly verticalFlip: number;
  /** Degrees, counter-clockwise. */
  readonly rotation: Range;
  /** Times as large, even in the logarithm. */
  readonly scale: Range;
  /** Up to so much of width and height, either way. */
  readonly shift: Pair;
  /** How far corners move inward, in halves of width and height, and the chance of it. */
  readonly perspective: Pair;
  /** What is outside of the picture: a number from 0, black, to 1, white; null: the picture's mean colour. */
  readonly fill: number | null;
  /** Factors. */
  readonly contrast: Range;
  readonly brightness: Range;
  readonly gain: Range;
  /** Turns of the colour wheel. */
  readonly hue: Range;
  /** Share of the pixels, and the chance of it. */
  readonly noise: Pair;
  /** Width and height of the square, and the chance of it. */
  readonly cutOut: Pair;
  /** As `fill`; null: the picture's mean grey. */
  readonly cutFill: number | null;
};

/** Everything is off: views are the pictures themselves. */
export const PLAIN_VIEWS: Omit<ViewSettings, 'picture' | 'view'> = {
  ...{ crop: 'none', padding: 0, horizontalFlip: 0, verticalFlip: 0, rotation: [0, 0], scale: [1, 1], shift: [0, 0] },
  ...{ perspective: [0, 0], fill: null, contrast: [1, 1], brightness: [1, 1], gain: [1, 1], hue: [0, 0] },
  ...{ noise: [0, 0], cutOut: [0, 0], cutFill: null },
};

/** Whether the settings of a colour's channels are drawn for each of them, and whether channels are mixed. */
export function coloursOf({ contrast, brightness, gain, hue }: ViewSettings): 'kept' | 'gains' | 'mixed' {
  if (hue.some((turn) => turn !== 0)) return 'mixed';
  return [contrast, brightness, gain].some((range) => range.some((factor) => factor !== 1)) ? 'gains' : 'kept';
}
