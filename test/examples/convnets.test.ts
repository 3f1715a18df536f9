import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { readSafetensors, writeSafetensors } from '../../lib/node/index.js';
import { drawPictures, inFolder, readJson, runTraining } from './program.js';

test('the small convolutional net learns light and dark pictures, and writes what it promises', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), ['Light', 'Dark'], 6);
    const tests = await drawPictures(join(folder, 'test'), ['Light', 'Dark'], 2);
    const out = join(folder, 'out');
    const given = ['--data', data, '--test', tests, '--input-size', '17', '--epochs', '8', '--learning-rate', '0.01'];
    const { code, output, errors } = await runTraining('convnet', [...given, '--out', out]);
    t.deepEqual([code, errors], [0, '']);
    for (const text of ['17 × 17', 'features.3.0 (Conv2d)', 'multiply-adds for one input', 'epoch 8/8  loss ']) {
      t.ok(output.includes(text), `prints '${text}'`);
    }
    const files = ['best.safetensors', 'history.json', 'last.safetensors', 'predictions.json'];
    t.deepEqual((await readdir(out)).sort(), files);
    const predictions = (await readJson(join(out, 'predictions.json'))) as { label: string; predicted: string }[];
    t.deepEqual(
      predictions.map(({ predicted }) => predicted),
      predictions.map(({ label }) => label),
    );
    const history = (await readJson(join(out, 'history.json'))) as { title: string; options: Record<string, unknown> };
    t.deepEqual([history.title, history.options['inputSize']], ['The small convolutional net', 17]);
    const { tensors } = await readSafetensors(join(out, 'last.safetensors'));
    t.deepEqual(tensors.get('features.0.0.weight')?.shape, [16, 3, 3, 3], 'in the layout of PyTorch');
  });
});

test('MobileNetV2 starts from a file, with a new last layer for other classes, and trains that alone', async (t) => {
  await inFolder(async (folder) => {
    const [two, three] = await Promise.all(
      [['A', 'B'], ['A', 'B', 'C']].map((names) => drawPictures(join(folder, names.join('')), names, 3)),
    ); // prettier-ignore
    const small = ['--input-size', '32', '--epochs', '1', '--batch-size', '4', '--validation-split', '0'];
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    const trained = await runTraining('mobilenet', ['--data', two ?? '', ...small, '--out', first]);
    t.deepEqual([trained.code, trained.errors], [0, '']);
    const weights = join(first, 'last.safetensors');
    const frozen = ['--weights', weights, '--freeze', '--out', second];
    const { code, output, errors } = await runTraining('mobilenet', ['--data', three ?? '', ...small, ...frozen]);
    t.deepEqual([code, errors], [0, '']);
    t.ok(output.includes("but for 'classifier', which starts afresh") && output.includes('3,843 trainable'), output);
    const [before, after] = [await readSafetensors(weights), await readSafetensors(join(second, 'last.safetensors'))];
    const different = [...before.tensors].filter(([name, { data }]) => {
      const other = after.tensors.get(name)?.data;
      return !other || data.length !== other.length || data.some((value, i) => value !== other[i]);
    });
    t.deepEqual(different.map(([name]) => name).sort(), ['classifier.1.bias', 'classifier.1.weight']);

    const broken = new Map(before.tensors);
    broken.delete('features.0.1.running_mean');
    broken.set('surplus', { dtype: 'F32', shape: [1], data: Float32Array.of(1) });
    const file = join(folder, 'broken.safetensors');
    await writeSafetensors(file, broken);
    const refused = await runTraining('mobilenet', ['--data', two ?? '', ...small, '--weights', file, '--out', second]);
    t.equal(refused.code, 1);
    for (const text of ['broken.safetensors', 'features.0.1.running_mean is missing', 'surplus is not in the model']) {
      t.ok(refused.errors.includes(text), refused.errors);
    }
  });
});
