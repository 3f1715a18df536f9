import { compileIn } from '../compile.js';
import type { Augment } from '../data/augment.js';
import { augmentRule } from '../data/augment.js';
import { augmentation } from '../data/augmentation/augmentation.js';
import { DataLoader } from '../data/data-loader.js';
import { checkExampleData } from '../data/check-data.js';
import type { ExampleData, TargetData } from '../data/training-data.js';
import { defaultDevice } from '../device/default.js';
import { DataError, OptionError, ShapeError } from '../errors.js';
import type { Module } from '../nn/module.js';
import { softmax } from '../ops/normalize/softmax.js';
import { checkOptions, type OptionRules, wholeNumber } from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { formatShape, sizeOf } from '../shape.js';
import { tensor, type Tensor } from '../tensor.js';
import { EVALUATION_BATCH } from './evaluate.js';
import { isOneNumber } from './objective.js';
import { builtInputShape } from './prepare-model.js';

/** Options of {@link predictViews}. */
export interface PredictViewsOptions extends RunOptions {
  /** What the model was trained with, which says what a view is. Default: the picture. */
  readonly augment?: Augment;
  /** The picture; it and its mirror image; or all quarter turns of both, of views as wide as high. Default 8. */
  readonly views?: 1 | 2 | 8;
  /** Rows computed at once, at most. Default 256. */
  readonly batchSize?: number;
}

const RULES: OptionRules<PredictViewsOptions> = {
  augment: augmentRule,
  views: { expected: '1, 2 or 8', accepts: (value) => value === 1 || value === 2 || value === 8 },
  batchSize: wholeNumber({ min: 1 }),
  ...RUN_RULES,
};

/**
 * The probabilities of pictures' classes, [N, classes], as the mean of what a model that gives logits says of several views of
 * each ("test-time augmentation"): mean over the views of softmax(model(view)). For a net that was trained on pictures lying
 * anyhow, eight views are a little more often right than one.
 *
 * Throws OptionError for a bad option and a model with one output, DataError or ShapeError where the pictures do not fit the
 * model.
 */
export async function predictViews(
  model: Module,
  pictures: ExampleData,
  options: PredictViewsOptions = {},
): Promise<Tensor> {
  checkOptions('predictViews', options, RULES);
  checkExampleData('predictViews: pictures', pictures);
  const { augment = augmentation({}), views = 8, batchSize = EVALUATION_BATCH, device = defaultDevice() } = options;
  const viewShape = augment.viewShape(pictures.inputShape);
  const expected = builtInputShape('predictViews', model, viewShape);
  if (expected.join() !== viewShape.join()) {
    throw new ShapeError(
      `predictViews: views ${formatShape(viewShape)} for a model built for ${formatShape(expected)}`,
    );
  }
  const outputShape = model.outputShape();
  if (isOneNumber(outputShape))
    throw new OptionError('predictViews: the model has one output, and no probabilities of classes');
  const count = pictures.inputs.length / sizeOf(pictures.inputShape);
  if (!Number.isInteger(count) || count === 0) {
    throw new DataError(
      `predictViews: ${pictures.inputs.length} numbers are no pictures of ${formatShape(pictures.inputShape)}`,
    );
  }
  // A data loader wants something to predict, which nobody looks at here.
  const data: TargetData = { ...pictures, targets: new Float32Array(count), targetShape: [] };
  const means = new Float64Array(count * sizeOf(outputShape));
  const all = augment.plainViews(views);
  for (const view of all) {
    const loader = new DataLoader(data, { batchSize, shuffle: false, augment: view });
    const forward = (rows: number) =>
      compileIn({ training: false, model }, () => softmax(model.forward(loader.next(rows).inputs)), { device });
    const [full, last] = [forward(loader.batchSize), forward(count % loader.batchSize || loader.batchSize)];
    for (let row = 0; row < count; row += loader.batchSize) {
      const probabilities = await (await (row + loader.batchSize <= count ? full : last)()).data();
      const start = row * sizeOf(outputShape);
      probabilities.forEach((value, i) => (means[start + i] = (means[start + i] ?? NaN) + value / all.length));
    }
    for (const owned of [full, last, loader]) owned.dispose();
  }
  return tensor(Float32Array.from(means), { shape: [count, ...outputShape] });
}
