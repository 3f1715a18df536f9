import { fileURLToPath } from 'node:url';
import test from 'tape';
import { Adam, compile, mobileNetV2, softmaxCrossEntropy, tensor } from '../../lib/index.js';
import { imageFolder } from '../../lib/node/index.js';
import { simd } from '../support/devices.js';

const folder = fileURLToPath(new URL('../../examples/pictures/train', import.meta.url));

test('MobileNetV2 with random weights learns 16 pictures by heart', async (t) => {
  const { inputs, labels } = await imageFolder(folder, { size: { width: 64, height: 64 }, layout: 'channels-last' });
  const size = 64 * 64 * 3;
  // As many of each class: the first eight, and the last.
  const rows = [...labels.keys()].filter((row) => row < 8 || row >= labels.length - 8);
  const pixels = new Float32Array(rows.flatMap((row) => Array.from(inputs.subarray(row * size, (row + 1) * size))));
  const pictures = tensor(pixels, { shape: [16, 64, 64, 3] });
  const classes = tensor(Int32Array.from(rows, (row) => labels[row] ?? NaN));
  const model = mobileNetV2({ classes: 2, dropout: 0 }).build([64, 64, 3], { seed: 1 });
  const optimizer = new Adam({ learningRate: 1e-3 });
  const step = compile(
    () => {
      const loss = softmaxCrossEntropy(model.forward(pictures), classes);
      optimizer.minimize(loss, model.parameters());
      return loss;
    },
    { device: simd },
  );
  const losses: number[] = [];
  while (losses.length < 30 && (losses.at(-1) ?? 1) >= 0.05) losses.push(await (await step()).item());
  t.ok((losses[0] ?? 0) > 0.4, `before: ${losses[0]}`);
  t.ok((losses.at(-1) ?? 1) < 0.05, `after ${losses.length} steps: ${losses.at(-1)}`);
  for (const owned of [step, optimizer, model]) owned.dispose();
});
