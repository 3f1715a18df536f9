import test from 'tape';
import { augmentFor, plainViewsOf, storedSize } from '../../lib/command-line/training/augmentations.js';
import { augmentation, Dense, evaluate, Flatten, type LabelledData, Sequential } from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { differs } from '../support/close.js';
import { simd } from '../support/devices.js';

test('the pictures of a report are those that the net is evaluated with', async (t) => {
  const [count, size] = [259, { width: 9, height: 9 }]; // one batch of 256, and 3 more
  const { width, height } = storedSize('recipe', size);
  const words = new RandomStream(1, 'pictures').bits(count * height * width * 3);
  const data: LabelledData = {
    inputs: Uint8Array.from(words, (word) => word & 0xff),
    inputShape: [height, width, 3],
    scale: 1 / 255,
    labels: Int32Array.from({ length: count }, (_, row) => row % 2),
    classNames: ['a', 'b'],
  };
  const augment = augmentFor('recipe', size, 'channels-last');
  if (!augment) throw new Error('views are another size');
  const views = await plainViewsOf(data, augment, simd);
  t.deepEqual(views.inputShape, [9, 9, 3]);
  const model = new Sequential([new Flatten(), new Dense(2)]);
  model.build([9, 9, 3], { seed: 2 });
  const [own, expected] = [
    await evaluate(model, views, { device: simd }),
    await evaluate(model, data, { device: simd, augment }),
  ];
  const tolerance = { absolute: 1e-6, relative: 1e-6 };
  t.equal(differs(Float32Array.of(own.loss), Float32Array.of(expected.loss), tolerance), undefined);
  t.equal(
    await plainViewsOf(data, augmentation({ size: { width, height } }), simd),
    data,
    'else the data are the pictures',
  );
});
