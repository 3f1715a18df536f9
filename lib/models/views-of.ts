import type { Augment } from '../data/augment.js';
import { augmentation } from '../data/augmentation/augmentation.js';
import { checkArgument } from '../options.js';
import { classifierRule, type PictureClassifier } from './picture-classifier.js';

/**
 * How a model sees pictures of its `storedSize`, for `evaluate` and `predictViews`; where it has none, as they are:
 *
 *     const model = await loadModel('model.safetensors');
 *     const { size, storedSize = size, layout } = model.description;
 *     const pictures = await imageFolder('test', { size: storedSize, layout });
 *     const { accuracy } = await evaluate(model, pictures, { augment: viewsOf(model) });
 *     const probabilities = await predictViews(model, pictures, { augment: viewsOf(model), views: 1 });
 */
export function viewsOf(model: PictureClassifier): Augment {
  checkArgument('viewsOf', 'model', model, classifierRule);
  const { size, layout } = model.description;
  return augmentation({ size, layout });
}
