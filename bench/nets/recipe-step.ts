import {
  AdamW,
  DataLoader,
  type Device,
  fromArrays,
  oneCycle,
  oneCycleMomentum,
  pictureClassifier,
} from '../../lib/index.js';
import { recipeAugmentation, storedSize } from '../../lib/command-line/training/augmentations.js';
import { RandomStream } from '../../lib/random.js';
import { TrainingStep } from '../step/training-step.js';

/** What `npm run reproduce` trains on: so many photos, views of them, and so many steps. */
const [COUNT, BATCH, STEPS] = [124, 32, 1600];
const VIEW = { width: 64, height: 64 };

/** The training step of the small ConvNet as examples/reproduce/wrenches.ts makes it, on pictures of noise. */
export function recipeStep(device: Device): TrainingStep {
  const { width, height } = storedSize('recipe', VIEW);
  const inputShape = [height, width, 3];
  const random = new RandomStream(1, 'pictures');
  const pictures = Uint8Array.from(random.uniform(COUNT * height * width * 3, 0, 256));
  const labels = Int32Array.from({ length: COUNT }, (_, row) => row % 2);
  const data = fromArrays(pictures, labels, { inputShape, scale: 1 / 255 });
  const cycle = { steps: STEPS, rise: 0.2 };
  return new TrainingStep(device, {
    model: pictureClassifier({ architecture: 'convnet', classNames: ['0', '1'], size: VIEW }).build([
      VIEW.height,
      VIEW.width,
      3,
    ]),
    loader: new DataLoader(data, { batchSize: BATCH, augment: recipeAugmentation(VIEW, 'channels-last') }),
    optimizer: new AdamW({
      learningRate: oneCycle(0.0015, cycle),
      beta1: oneCycleMomentum(cycle),
      weightDecay: 0.05,
    }),
    hasAccuracy: false,
  });
}
