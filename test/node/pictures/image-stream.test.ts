import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { DataError, OptionError } from '../../../lib/errors.js';
import { Dense, evaluate, fit, Flatten, predict, Sequential, SGD } from '../../../lib/index.js';
import { imageFolder, imageStream, type ImageStreamOptions } from '../../../lib/node/index.js';
import { simd } from '../../support/devices.js';
import { rejects } from '../../support/errors.js';
import { colouredPng, grey, jpeg, withFiles } from '../../support/picture-files.js';

const STORED = { width: 12, height: 8 };
const size = { width: 5, height: 4 };

/** Some 20 pictures in three classes, PNG and JPEG. */
async function pictures(): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < 20; i++) {
    const name = `${'abc'[i % 3] ?? ''}/${i % 2 === 0 ? 'deeper/' : ''}${i}`;
    if (i % 4 === 0) files[`${name}.jpg`] = await jpeg(STORED, { seed: i });
    else files[`${name}.png`] = colouredPng(STORED, i);
  }
  return files;
}

function model(): Sequential {
  return new Sequential([new Flatten(), new Dense(3)]);
}

const options = { epochs: 2, batchSize: 6, seed: 4, device: simd };

test('training on a stream of pictures is, bit for bit, training on the folder in memory', async (t) => {
  await withFiles(await pictures(), async (folder) => {
    for (const layout of ['channels-first', 'channels-last'] as const) {
      const inMemory = await imageFolder(folder, { size, layout, dtype: 'u8' });
      const stream = await imageStream(folder, { size, layout, prefetch: 3 });
      const { inputs, ...rest } = inMemory;
      const { read, ...listed } = stream;
      t.deepEqual(listed, { ...rest, dtype: 'u8', prefetch: 3 });
      t.deepEqual(await read(7), inputs.slice(7 * 60, 8 * 60));
      const [one, other] = [model(), model()];
      const histories = [
        await fit(one, inMemory, { ...options, optimizer: new SGD({ learningRate: 0.1 }), validation: inMemory }),
        await fit(other, stream, { ...options, optimizer: new SGD({ learningRate: 0.1 }), validation: stream }),
      ].map((history) => ({ ...history, seconds: [] }));
      t.deepEqual(histories[1], histories[0], layout);
      t.deepEqual(await evaluate(other, stream, { device: simd }), await evaluate(one, inMemory, { device: simd }));
      const outputs = [await predict(one, inMemory, { device: simd }), await predict(other, stream, { device: simd })];
      t.deepEqual(await outputs[1]?.data(), await outputs[0]?.data());
    }
  });
});

test('a file that vanishes or is damaged in the middle ends the training, naming it', async (t) => {
  await withFiles(await pictures(), async (folder) => {
    const train = async (change: () => Promise<void>): Promise<unknown> => {
      const stream = await imageStream(folder, { size, prefetch: 0 });
      await change();
      return fit(model(), stream, { ...options, optimizer: new SGD({ learningRate: 0.1 }) });
    };
    const said = `Cannot go on reading pictures from ${folder}: `;
    await rejects(
      t,
      train(() => rm(join(folder, 'b/7.png'))),
      DataError,
      `${said}b/7.png: there is no such file`,
    );
    const cut = (): Promise<void> => writeFile(join(folder, 'c/5.png'), colouredPng(STORED).subarray(0, -5));
    await rejects(t, train(cut), DataError, `${said}c/5.png: it is cut off`);
    await writeFile(join(folder, 'c/5.png'), grey(3));
    const epochs = (await train(() => Promise.resolve())) as { epoch?: unknown; loss: readonly number[] };
    t.equal(epochs.loss.length, 2, 'without them it is trained');
  });
});

test('few pictures are in memory at a time', async (t) => {
  const files = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`${'ab'[i % 2] ?? ''}/${i}.png`, grey(i, 40, 30)]),
  );
  await withFiles(files, async (folder) => {
    const stream = await imageStream(folder, { size, prefetch: 2 });
    let [reading, most] = [0, 0];
    const counted = {
      ...stream,
      read: async (row: number) => {
        most = Math.max(most, ++reading);
        const input = await stream.read(row);
        reading--;
        return input;
      },
    };
    await fit(model(), counted, { ...options, batchSize: 4, optimizer: new SGD({ learningRate: 0.01 }) });
    t.ok(most <= 6, `${most} under way`);
  });
});

test('what cannot be streamed is refused', async (t) => {
  const from = (given: unknown): Promise<unknown> => imageStream('x', given as ImageStreamOptions);
  await rejects(t, from({}), OptionError, 'imageStream: size must be an object with width and height, found undefined');
  await rejects(t, from({ size: { width: 1, height: 0 } }), OptionError, 'imageStream: size: height');
  await rejects(t, from({ size, dtype: 'f32' }), OptionError, "imageStream: unknown option 'dtype'");
  await rejects(t, from({ size, prefetch: -1 }), OptionError, 'prefetch must be a whole number of 0 or more');
  await rejects(t, from({ size }), DataError, 'Cannot read pictures from x: there is no such file or folder');
});
