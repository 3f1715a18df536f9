import { hashOf } from '../../../lib/hash.js';
import {
  Adam,
  augmentation,
  BatchNorm,
  cosineDecay,
  Dense,
  type Device,
  Dropout,
  fit,
  Flatten,
  fromArrays,
  oneCycleMomentum,
  RandomStream,
  Sequential,
  stateOf,
  type FitOptions,
} from '../../../lib/index.js';

/** 24 pictures of 6 x 6 in two classes: three batches. */
function pictures() {
  const noise = new RandomStream(1, 'pictures').normal(24 * 108);
  const labels = Int32Array.from({ length: 24 }, (_, row) => row % 2);
  const inputs = Uint8Array.from(noise, (value, i) => 128 + 30 * value + (Math.floor(i / 108) % 2) * 20);
  return fromArrays(inputs, labels, { inputShape: [6, 6, 3], classNames: ['dark', 'bright'], scale: 1 / 255 });
}

/** A small training with all that a checkpoint must hold. Says what came of it: the history but for its times, and hashes of all that was learned. */
export async function trainTiny(
  device: Device,
  { epochs, ...rest }: Pick<FitOptions, 'epochs' | 'resume' | 'callbacks'>,
): Promise<string> {
  const model = new Sequential({
    flatten: new Flatten(),
    fc1: new Dense(4),
    norm: new BatchNorm(),
    dropout: new Dropout(0.3),
    fc2: new Dense(2),
  });
  const steps = 3 * epochs;
  const optimizer = new Adam({ learningRate: cosineDecay(0.01, { steps }), beta1: oneCycleMomentum({ steps }) });
  const augment = augmentation({ horizontalFlip: 0.5, brightness: 0.2 });
  const common = { epochs, batchSize: 8, seed: 5, optimizer, augment, device };
  const { seconds, ...numbers } = await fit(model, pictures(), { ...common, ...rest });
  const hashes = [...(await stateOf(model)), ...(await optimizer.state())].map(([name, { data }]) => {
    return `${name} ${data instanceof BigInt64Array ? '' : hashOf(data)}`;
  });
  return JSON.stringify({ epochs: seconds.length, numbers, hashes });
}
