import {
  AdamW,
  compile,
  DataLoader,
  type Device,
  fromArrays,
  Meter,
  oneCycle,
  oneCycleMomentum,
  pictureClassifier,
  softmaxCrossEntropy,
} from '../../lib/index.js';
import { recipeAugmentation, storedSize } from '../../lib/command-line/training/augmentations.js';
import { RandomStream } from '../../lib/random.js';
import type { ProfiledStep } from '../step/profile.js';

/** What `npm run reproduce` trains on: so many photos, views of them, and so many steps. */
const [COUNT, BATCH, STEPS] = [124, 32, 1600];
const VIEW = { width: 64, height: 64 };

/** The training step of the small ConvNet as examples/reproduce/wrenches.ts makes it, on pictures of noise. */
export class RecipeStep implements ProfiledStep {
  readonly #device: Device;
  readonly #step;
  readonly #owned: readonly { dispose(): void }[];

  constructor(device: Device) {
    this.#device = device;
    const { width, height } = storedSize('recipe', VIEW);
    const inputShape = [height, width, 3];
    const random = new RandomStream(1, 'pictures');
    const pictures = Uint8Array.from(random.uniform(COUNT * height * width * 3, 0, 256));
    const labels = Int32Array.from({ length: COUNT }, (_, row) => row % 2);
    const data = fromArrays(pictures, labels, { inputShape, scale: 1 / 255 });
    const loader = new DataLoader(data, { batchSize: BATCH, augment: recipeAugmentation(VIEW, 'channels-last') });
    const model = pictureClassifier({ architecture: 'convnet', classNames: ['0', '1'], size: VIEW });
    model.build([VIEW.height, VIEW.width, 3]).train();
    const cycle = { steps: STEPS, rise: 0.2 };
    const optimizer = new AdamW({
      learningRate: oneCycle(0.0015, cycle),
      beta1: oneCycleMomentum(cycle),
      weightDecay: 0.05,
    });
    const loss = new Meter();
    this.#step = compile(
      () => {
        const batch = loader.next();
        const value = softmaxCrossEntropy(model.forward(batch.inputs), batch.labels);
        optimizer.minimize(value, model.parameters());
        loss.update(value, batch.labels.size);
      },
      { device },
    );
    this.#owned = [this.#step, loader, model, optimizer, loss];
  }

  async run(steps: number): Promise<void> {
    await this.#step.repeat(steps);
    await this.#device.finished();
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }
}
