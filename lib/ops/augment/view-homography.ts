import { elementAt } from '../../element-at.js';
import { unitFloat } from '../../random.js';
import { type Draws, FIRST_CORNER } from './view-draws.js';
import type { Pair, ViewSettings } from './view-settings.js';

/** A matrix of 3 x 3, by rows. */
type Matrix = readonly [number, number, number, number, number, number, number, number, number];

const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];

function product(a: Matrix, b: Matrix): Matrix {
  const at = (row: number, column: number): number =>
    [0, 1, 2].reduce((sum, k) => sum + elementAt(a, 3 * row + k) * elementAt(b, 3 * k + column), 0);
  return [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1), at(1, 2), at(2, 0), at(2, 1), at(2, 2)];
}

/** From pixels of the view to pixels of the picture. */
export function homographyOf(settings: ViewSettings, draws: Draws): Matrix {
  const [height, width] = settings.view;
  const centred: Matrix = [1, 0, (1 - width) / 2, 0, 1, (1 - height) / 2, 0, 0, 1];
  return product(product(affineOf(settings, draws), perspectiveOf(settings, draws)), centred);
}

/** From places around the middle of the view to pixels of the picture: shift, rotation, scale and flips, undone. */
function affineOf(settings: ViewSettings, draws: Draws): Matrix {
  const { picture, view, crop, padding, rotation, scale, shift } = settings;
  const [[h, w], [H, W]] = [picture, view];
  const times = draws.between('scale', [Math.log(scale[0]), Math.log(scale[1])]);
  const angle = (draws.between('rotation', rotation) * Math.PI) / 180;
  const flip = (isFlipped: boolean, squeeze: number): number => ((isFlipped ? -1 : 1) * squeeze) / Math.exp(times);
  const across = flip(draws.happens('horizontalFlip', settings.horizontalFlip), crop === 'none' ? w / W : 1);
  const down = flip(draws.happens('verticalFlip', settings.verticalFlip), crop === 'none' ? h / H : 1);
  const a = [
    across * Math.cos(angle),
    -across * Math.sin(angle),
    down * Math.sin(angle),
    down * Math.cos(angle),
  ] as const;
  const right = draws.between('shiftX', [-shift[0] * W, shift[0] * W]);
  const below = draws.between('shiftY', [-shift[1] * H, shift[1] * H]);
  const middle = (word: 'cropX' | 'cropY', size: number, of: number): number => {
    if (crop === 'none') return (of - 1) / 2;
    if (crop === 'middle') return (size - 1) / 2 + Math.floor((of - size) / 2);
    return (size - 1) / 2 - padding + draws.choice(word, of + 2 * padding - size + 1);
  };
  const [x, y] = [middle('cropX', W, w), middle('cropY', H, h)];
  return [a[0], a[1], x - a[0] * right - a[1] * below, a[2], a[3], y - a[2] * right - a[3] * below, 0, 0, 1];
}

/** From places around the middle of the view to where they were before its corners moved inward. */
function perspectiveOf({ view: [H, W], perspective: [distortion, chance] }: ViewSettings, draws: Draws): Matrix {
  if (!draws.happens('perspective', chance)) return IDENTITY;
  const corner = (i: number, isRight: boolean, isLower: boolean): Pair => {
    const inward = (place: number): number =>
      1 - distortion * unitFloat(draws.bits([FIRST_CORNER + Math.floor(i / 2), 2 * (i % 2) + place]));
    return [((isRight ? W : -W) / 2) * inward(0), ((isLower ? H : -H) / 2) * inward(1)];
  };
  const [x0, y0] = corner(0, false, false);
  const [x1, y1] = corner(1, true, false);
  const [x2, y2] = corner(2, true, true);
  const [x3, y3] = corner(3, false, true);
  // The unit square to the four corners: Heckbert, "Fundamentals of texture mapping and image warping", 1989, 2.2.3.
  const [sumX, sumY] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const determinant = (x1 - x2) * (y3 - y2) - (x3 - x2) * (y1 - y2);
  const g = (sumX * (y3 - y2) - (x3 - x2) * sumY) / determinant;
  const h = ((x1 - x2) * sumY - sumX * (y1 - y2)) / determinant;
  const [a, b, d, e] = [x1 - x0 + g * x1, x3 - x0 + h * x3, y1 - y0 + g * y1, y3 - y0 + h * y3];
  // The other way round, up to a factor, which is such that the middle of the view has depth 1.
  const middle = a * e - b * d;
  const inverse: Matrix = [
    ...([(e - y0 * h) / middle, (x0 * h - b) / middle, (b * y0 - x0 * e) / middle] as const),
    ...([(y0 * g - d) / middle, (a - x0 * g) / middle, (x0 * d - a * y0) / middle] as const),
    ...([(d * h - e * g) / middle, (b * g - a * h) / middle, 1] as const),
  ];
  return product([W, 0, -W / 2, 0, H, -H / 2, 0, 0, 1], inverse);
}
