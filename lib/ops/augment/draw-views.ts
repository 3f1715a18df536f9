import { drawViewsWasm } from '../../generated/wasm.js';
import { commonWgsl, drawViewsWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { f32, i32, u32 } from '../../graph/operands.js';
import { setColours } from './view-colours.js';
import { AUGMENT_STREAM, Draws, thresholdOf, WORDS } from './view-draws.js';
import { homographyOf } from './view-homography.js';
import { CUT_PLACE, NOISE_KEY_PLACE, NOISE_PLACE, recordSize } from './view-record.js';
import { coloursOf, type Pair, PLAIN_VIEWS, type Range, type ViewSettings } from './view-settings.js';

type DrawAttributes = ViewSettings & {
  /** Rows of the data set. */
  readonly count: number;
  /** As of `batchRows`. */
  readonly taken: number;
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
