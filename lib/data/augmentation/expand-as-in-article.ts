import { defaultDevice } from '../../device/default.js';
import { checkOptions, type OptionRules, oneOf, seed as seedRule } from '../../options.js';
import { run, RUN_RULES, type RunOptions } from '../../run.js';
import { sizeOf } from '../../shape.js';
import { DataLoader } from '../data-loader.js';
import type { PictureLayout } from '../picture-layout.js';
import type { LabelledData } from '../training-data.js';
import { augmentation } from './augmentation.js';
import type { AugmentationOptions } from './options.js';
import { pictureShapeOf } from './picture-shape.js';

/** Options of {@link expandAsInArticle}. */
export interface ExpandOptions extends RunOptions {
  /** Decides noise, squares and perspectives. Default 0. */
  readonly seed?: number;
  /** Where the channels are. Default: where the shape of an input tells. */
  readonly layout?: PictureLayout;
}

const RULES: OptionRules<ExpandOptions> = {
  ...RUN_RULES,
  seed: seedRule,
  layout: oneOf('channels-last', 'channels-first'),
};

/** Pictures that are made at once. */
const AT_ONCE = 512;

/** Of each picture, with those before: the ways to change it, one of which is to leave it as it is. */
function waysOf(edge: number): readonly AugmentationOptions[] {
  const ways: readonly (readonly AugmentationOptions[])[] = [
    [{}, { horizontalFlip: 1 }],
    [{}, { brightness: [1.3, 1.3] }, { brightness: [0.7, 0.7] }],
    [{}, { noise: { share: 0.02, probability: 1 } }],
    [{}, { cutOut: { size: Math.max(1, Math.round(edge / 4)), probability: 1 } }],
    [{}, { perspective: { distortion: 0.3, probability: 1 } }],
  ];
  return ways.reduce((all, more) => all.flatMap((way) => more.map((other) => ({ ...way, ...other }))), [{}]);
}

/**
 * Forty-eight pictures of each one, as the article on the wrenches made them before training
 * (https://qiita.com/moriitkys/items/316fcca8d83dfa706597): as it is and mirrored; with 1.3 and 0.7 times the brightness, too; each
 * of these also with salt and pepper; these with a square cut out; these in perspective: 2 · 3 · 2 · 2 · 2. How much of each
 * the article does not say: 2 % of the pixels, a quarter of the shorter edge, and corners moved by up to 30 % here. Pictures of a
 * way stand together, the unchanged ones first.
 *
 * Split the data before: else what is held out is in the training in 47 other shapes. {@link augmentation} makes other views
 * in each epoch, and needs no memory for them. Throws OptionError for a bad option, DataError for inputs that are no pictures
 * with numbers from 0 to 1.
 */
export async function expandAsInArticle(data: LabelledData, options: ExpandOptions = {}): Promise<LabelledData> {
  checkOptions('expandAsInArticle', options, RULES);
  const { seed = 0, layout, device = defaultDevice() } = options;
  const { height, width } = pictureShapeOf(data.inputShape, layout);
  const ways = waysOf(Math.min(height, width));
  const count = data.labels.length;
  const { inputs: own, scale = 1 } = data;
  const length = own.length * ways.length;
  const inputs = own instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  for (const [epoch, way] of ways.entries()) {
    const augment = augmentation({ ...way, ...(layout && { layout }) });
    const loader = new DataLoader(data, { batchSize: AT_ONCE, shuffle: false, seed, epoch, augment });
    for (let row = 0; row < count; row += AT_ONCE) {
      const size = Math.min(AT_ONCE, count - row);
      const views = await (await run(() => loader.next(size).inputs, { device })).data();
      const start = epoch * own.length + row * sizeOf(data.inputShape);
      if (own instanceof Float32Array) inputs.set(views, start);
      else views.forEach((value, i) => (inputs[start + i] = Math.min(Math.max(Math.round(value / scale), 0), 255)));
    }
    loader.dispose();
  }
  const repeated = <T>(values: readonly T[]): T[] => ways.flatMap(() => values);
  const { files, weights } = data;
  return {
    ...data,
    inputs,
    labels: Int32Array.from(repeated(Array.from(data.labels))),
    ...(files && { files: repeated(files) }),
    ...(weights && { weights: Float32Array.from(repeated(Array.from(weights))) }),
  };
}
