import { elementAt } from '../../element-at.js';
import { drawViewsWasm } from '../../generated/wasm.js';
import { commonWgsl, drawViewsWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { f32, i32, u32 } from '../../graph/operands.js';
import { type Key, philox4x32, streamOf, unitFloat } from '../../random.js';
import { CUT_PLACE, NOISE_KEY_PLACE, NOISE_PLACE, placeIn, recordSize } from './view-record.js';

/** From … to. */
export type Range = readonly [low: number, high: number];
/** Two numbers that belong together: of the width and of the height, or how much and with which chance. */
type Pair = readonly [number, number];

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

type DrawAttributes = ViewSettings & {
  /** Rows of the data set. */
  readonly count: number;
  /** As of `batchRows`. */
  readonly taken: number;
};

export const AUGMENT_STREAM = streamOf('augment');

/** Whether the settings of a colour's channels are drawn for each of them, and whether channels are mixed. */
export function coloursOf({ contrast, brightness, gain, hue }: ViewSettings): 'kept' | 'gains' | 'mixed' {
  if (hue.some((turn) => turn !== 0)) return 'mixed';
  return [contrast, brightness, gain].some((range) => range.some((factor) => factor !== 1)) ? 'gains' : 'kept';
}

/** Where each word that is drawn for a view stands: Philox block and place in it. Gains begin at block 8. */
const WORDS = {
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
const FIRST_CORNER = 3;
const FIRST_GAIN = 8;

/** The random numbers of a view, a function of (seed, epoch, row) alone. Blocks are drawn where they are asked for. */
class Draws {
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
function thresholdOf(chance: number): number {
  return Math.round(chance * 2 ** 24);
}

/** A matrix of 3 x 3, by rows. */
type Matrix = readonly [number, number, number, number, number, number, number, number, number];

const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];

function product(a: Matrix, b: Matrix): Matrix {
  const at = (row: number, column: number): number =>
    [0, 1, 2].reduce((sum, k) => sum + elementAt(a, 3 * row + k) * elementAt(b, 3 * k + column), 0);
  return [at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1), at(1, 2), at(2, 0), at(2, 1), at(2, 2)];
}

/** From pixels of the view to pixels of the picture. */
function homographyOf(settings: ViewSettings, draws: Draws): Matrix {
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

/**
 * A turn of the colour wheel that keeps the brightness: the matrix of `hueRotate`, W3C, "Filter effects module level 1",
 * feColorMatrix; by rows.
 */
function hueMatrix(turn: number): readonly number[] {
  const [cos, sin] = [Math.cos(2 * Math.PI * turn), Math.sin(2 * Math.PI * turn)];
  return [
    ...[0.213 + cos * 0.787 - sin * 0.213, 0.715 - cos * 0.715 - sin * 0.715, 0.072 - cos * 0.072 + sin * 0.928],
    ...[0.213 - cos * 0.213 + sin * 0.143, 0.715 + cos * 0.285 + sin * 0.14, 0.072 - cos * 0.072 - sin * 0.283],
    ...[0.213 - cos * 0.213 - sin * 0.787, 0.715 - cos * 0.715 + sin * 0.715, 0.072 + cos * 0.928 + sin * 0.072],
  ];
}

/** A channel of the pictures: its share in grey, and how its numbers are made of values from 0 to 1. */
interface Channel {
  readonly share: number;
  readonly mean: number;
  readonly deviation: number;
  /** The mean number of the picture. */
  readonly average: number;
}

/** Sets the numbers of a record behind its head. */
function setColours(
  set: (place: number, value: number) => void,
  settings: ViewSettings,
  draws: Draws,
  channels: readonly Channel[],
): void {
  const { fill, cutFill } = settings;
  const colours = coloursOf(settings);
  const grey = channels.reduce(
    (sum, { share, mean, deviation, average }) => sum + share * (average * deviation + mean),
    0,
  );
  const contrast = draws.between('contrast', settings.contrast);
  const brightness = draws.between('brightness', settings.brightness);
  const [low, high] = settings.gain;
  const gains = channels.map((_, c) => {
    const drawn = low === high ? 0 : unitFloat(draws.bits([FIRST_GAIN + Math.floor(c / 4), c % 4]));
    return brightness * (low + (high - low) * drawn);
  });
  const mix = colours === 'mixed' ? hueMatrix(draws.between('hue', settings.hue)) : undefined;
  const shareOf = (c: number, from: number): number => (mix ? elementAt(mix, 3 * c + from) : Number(c === from));
  channels.forEach(({ mean, deviation, average }, c) => {
    const number = (value: number): number => (value - mean) / deviation;
    // value' = Σ over the channels of factor · value, and `added`.
    let [added, ofGrey, ofMeans] = [0, 0, 0];
    channels.forEach((other, from) => {
      if (!mix && from !== c) return;
      const gain = shareOf(c, from) * elementAt(gains, from);
      const factor = contrast * gain;
      added += (1 - contrast) * gain * grey;
      ofGrey += factor * grey;
      ofMeans += factor * other.mean;
      if (mix) set(placeIn('gain', c, from), (factor * other.deviation) / deviation);
      else set(placeIn('gain', c), factor);
    });
    const cut = ofGrey + added;
    set(placeIn('fill', c), fill === null ? average : number(fill));
    set(placeIn('cutFill', c), number(cutFill ?? (colours === 'kept' ? cut : Math.min(Math.max(cut, 0), 1))));
    set(placeIn('low', c), number(0));
    set(placeIn('high', c), number(1));
    set(placeIn('offset', c), number(ofMeans + added));
  });
}

/** Everything is off: views are the pictures themselves. */
export const PLAIN_VIEWS: Omit<ViewSettings, 'picture' | 'view'> = {
  ...{ crop: 'none', padding: 0, horizontalFlip: 0, verticalFlip: 0, rotation: [0, 0], scale: [1, 1], shift: [0, 0] },
  ...{ perspective: [0, 0], fill: null, contrast: [1, 1], brightness: [1, 1], gain: [1, 1], hue: [0, 0] },
  ...{ noise: [0, 0], cutOut: [0, 0], cutFill: null },
};

/** Everything at once. */
const ALL: Omit<ViewSettings, 'picture' | 'view'> = {
  ...{ crop: 'none', padding: 0, horizontalFlip: 0.5, verticalFlip: 0.3, rotation: [-180, 180], scale: [0.8, 1.25] },
  ...{ shift: [0.1, 0.2], perspective: [0.4, 0.7], fill: null, contrast: [0.75, 1.25], brightness: [0.5, 1.5] },
  ...{ gain: [0.9, 1.1], hue: [0, 0], noise: [0.05, 0.5], cutOut: [2, 0.5], cutFill: null },
};

type DrawCase = readonly [
  count: number,
  rows: number,
  channels: number,
  settings: Pick<ViewSettings, 'picture' | 'view'> & Partial<ViewSettings>,
];

const CASES: readonly DrawCase[] = [
  [1, 1, 1, { picture: [1, 1], view: [1, 1] }],
  [9, 5, 3, { picture: [7, 11], view: [7, 11], horizontalFlip: 0.5, brightness: [0.7, 1.3] }],
  [9, 5, 3, { picture: [8, 9], view: [5, 4], crop: 'random', padding: 2, fill: 0.5, cutFill: 0, verticalFlip: 1 }],
  [7, 7, 3, { ...ALL, picture: [13, 17], view: [9, 9] }],
  [100, 65, 3, { ...ALL, picture: [9, 16], view: [10, 8], hue: [-0.5, 0.5], cutFill: 0.3, fill: 0 }],
  [70, 66, 5, { ...ALL, picture: [6, 6], view: [6, 6], crop: 'random', padding: 1 }],
  [6, 3, 2, { picture: [4, 4], view: [4, 4], perspective: [0.95, 1], rotation: [45, 45], contrast: [0, 0] }],
  [6, 3, 3, { picture: [4, 7], view: [3, 4], crop: 'middle' }],
  [6, 0, 3, { ...ALL, picture: [4, 4], view: [4, 4] }],
];

function drawCase([count, rows, channels, settings]: DrawCase) {
  return {
    inputs: {
      state: { shape: [4], dtype: 'u32' as const, fill: { below: count } },
      rows: { shape: [rows], dtype: 'i32' as const, fill: { below: count } },
      means: { shape: [count, channels], fill: 'unit' as const },
      channels: { shape: [3, channels], fill: 'positive' as const },
    },
    attributes: { ...PLAIN_VIEWS, ...settings, count, taken: count === 100 ? 40 : 0 },
  };
}

/** What both kernels are told of the settings. */
function numbersOf(settings: ViewSettings) {
  const { picture, view, crop, padding, rotation, scale, shift, perspective, noise, cutOut, fill, cutFill } = settings;
  const [[h, w], [H, W]] = [picture, view];
  const spread = ([low, high]: Range, unit = 1): Pair => [low * unit, (high - low) * unit];
  const windows = (size: number, of: number): number => (crop === 'random' ? of + 2 * padding - size + 1 : 1);
  const firstWindow = (size: number, of: number): number =>
    crop === 'random' ? -padding : Math.floor((of - size) / 2);
  const middle = (size: number, of: number): number =>
    crop === 'none' ? (of - 1) / 2 : (size - 1) / 2 + firstWindow(size, of);
  const colours = coloursOf(settings);
  return {
    chances: [settings.horizontalFlip, settings.verticalFlip, perspective[1], noise[1], cutOut[1]].map(thresholdOf),
    choices: [windows(W, w), windows(H, h), W - cutOut[0] + 1, H - cutOut[0] + 1],
    ranges: [
      ...[W, H, ...(crop === 'none' ? [w / W, h / H] : [1, 1]), middle(W, w), middle(H, h)],
      ...[...spread(rotation, 1 / 360), ...spread([Math.log(scale[0]), Math.log(scale[1])])],
      ...[shift[0] * W, shift[1] * H, ...spread(settings.contrast), ...spread(settings.brightness)],
      ...[...spread(settings.gain), ...spread(settings.hue)],
    ],
    fills: [fill ?? 0, cutFill ?? 0, perspective[0], thresholdOf(noise[0])],
    flags: {
      recolours: Number(colours !== 'kept'),
      mixes: Number(colours === 'mixed'),
      fillsMean: Number(fill === null),
      cutsMean: Number(cutFill === null),
    },
  };
}

/**
 * What views of the rows of a batch are like: a record each (lib/ops/augment/view-record.ts), drawn by Philox from the seed, the
 * epoch and the row. The state is that of a data loader. Of means there is a row for each picture, or one for all.
 */
export const drawViews = defineOperation<DrawAttributes>()({
  name: 'drawViews',
  inputs: { state: u32(4), rows: i32('V'), means: f32('M', 'C'), channels: f32(3, 'C') },
  outputs: { views: f32('V', 'size') },
  infer: ({ sizes: { V, C }, attributes }) => ({ views: [V, recordSize(C, coloursOf(attributes) === 'mixed')] }),
  reference({ state, rows, means, channels, views }, { V, M, C, size }, settings) {
    const { count, taken, view, noise, cutOut } = settings;
    views.data.fill(0);
    for (let v = 0; v < V; v++) {
      const row = rows.at(v);
      const epoch = state.at(2) + Math.floor((state.at(3) + taken + v) / count);
      const draws = new Draws([state.at(0), state.at(1)], epoch, row);
      const set = (place: number, value: number): void => {
        views.set(v * size + place, value);
      };
      homographyOf(settings, draws).forEach((value, place) => {
        set(place, value);
      });
      // Where nothing is cut out, the square lies beside the view.
      const isCut = draws.happens('cutOut', cutOut[1]);
      set(CUT_PLACE, isCut ? draws.choice('cutX', view[1] - cutOut[0] + 1) : view[1]);
      set(CUT_PLACE + 1, isCut ? draws.choice('cutY', view[0] - cutOut[0] + 1) : view[0]);
      if (draws.happens('noise', noise[1])) {
        set(NOISE_PLACE, thresholdOf(noise[0]));
        set(NOISE_KEY_PLACE, draws.bits(WORDS.noiseLow) >>> 16);
        set(NOISE_KEY_PLACE + 1, draws.bits(WORDS.noiseHigh) >>> 16);
      }
      const own = M === 1 ? 0 : Math.min(row >>> 0, M - 1);
      const parts = Array.from({ length: C }, (_, c) => ({
        ...{ share: channels.at(c), mean: channels.at(C + c), deviation: channels.at(2 * C + c) },
        average: means.at(own * C + c),
      }));
      setColours(set, settings, draws, parts);
    }
  },
  kernel({ sizes: { V, M, C, size }, attributes }) {
    const { chances, choices, ranges, fills, flags } = numbersOf(attributes);
    return [
      {
        kernel: { name: 'drawViews', code: commonWgsl + philoxWgsl + drawViewsWgsl, entryPoint: 'drawViews' },
        constants: { AUGMENT_STREAM, MIXES: flags.mixes },
        bindings: ['state', 'rows', 'means', 'channels', 'views'],
        uniforms: new Uniforms()
          .u32(V, attributes.count, attributes.taken, M)
          .u32(C, size / 4, flags.recolours, 0)
          .u32(...chances.slice(0, 4), ...choices)
          .f32(...ranges, ...fills)
          .u32(flags.fillsMean, flags.cutsMean, ...chances.slice(4))
          .bytes(),
        workgroups: foldWorkgroups(ceilDivide(V, 64)),
      },
    ];
  },
  simd({ sizes: { V, M, C, size }, attributes }) {
    const { chances, choices, ranges, fills, flags } = numbersOf(attributes);
    const { count, taken } = attributes;
    const call = {
      kernel: { module: drawViewsWasm, entryPoint: 'drawViews' },
      arguments: [
        ...(['state', 'rows', 'means', 'channels', 'views', { scratch: true }] as const),
        ...([V, count, taken, M, C, 4 * size, AUGMENT_STREAM, flags.recolours, flags.mixes] as const),
        ...([...chances, ...choices, ...ranges, ...fills, flags.fillsMean, flags.cutsMean] as const),
      ],
    };
    return [{ tasks: [[call]], scratchBytes: 4 * C + 352 }];
  },
  gradient: { none: 'it is drawn' },
  tolerance: { absolute: 2e-5, relative: 1e-5 }, // places of up to 20 pixels; exp is promised to a few places, divisions too
  cases: CASES.map(drawCase),
  cost: ({ sizes: { V, C } }) => ({ flop: V * (200 + 20 * C) }),
});
