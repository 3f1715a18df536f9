import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { elementAt } from '../../element-at.js';
import { DataError, type Device, type ExampleData, type PictureClassifier } from '../../index.js';
import { loadModel, openDevice, readPicture } from '../../node/index.js';
import { storePicture } from '../../node/pictures/image-folder.js';
import { mapLimited } from '../../node/pictures/map-limited.js';
import { picturesBelow } from '../../node/pictures/picture-files.js';
import { printable } from '../../printable.js';
import { sizeOf } from '../../shape.js';
import { checkWords } from '../arguments.js';
import { defineCommand } from '../command.js';
import type { Output } from '../output.js';
import { DEVICE_OPTION, deviceOption, oneOfOption, OUTPUT_OPTIONS, outputFor } from '../shared-options.js';
import { classify, describeAnswer } from '../training/predictions.js';

/** Pictures that are in memory at the same time, as bytes of the model's size. */
const BATCH = 64;

/** What `--views` may be. */
const VIEWS = { '1': 1, '2': 2, '8': 8 } as const;
const VIEW_NAMES = Object.keys(VIEWS) as readonly (keyof typeof VIEWS)[];
type ViewCount = (typeof VIEWS)[keyof typeof VIEWS];

export const predictCommand = defineCommand({
  name: 'predict',
  words: 'MODEL FILE...',
  summary: 'Says what is on pictures: files, and all pictures in folders.',
  options: {
    views: {
      value: '1|2|8',
      help: 'views of a picture that an answer is the mean of: it, its mirror image, their quarter turns (default 1)',
    },
    device: DEVICE_OPTION,
    ...OUTPUT_OPTIONS,
  },
  notes: [
    '',
    'MODEL is a file that train wrote. A picture that cannot be read is told on standard error; the others are predicted, and',
    'the exit code is 1. With --json a line an input: { file, predicted, probabilities: { class: share } }, or { file, error }.',
  ],
  async run(values, words) {
    checkWords(words, 'a model and pictures: kernelwright predict MODEL FILE...', 2);
    const [path = '', ...inputs] = words;
    const output = outputFor(values);
    const views = VIEWS[oneOfOption('views', values.views, VIEW_NAMES) ?? '1'];
    const model = await loadModel(path);
    const device = await openDevice(deviceOption(values.device));
    try {
      return await predictAll(model, inputs, { device, views }, output);
    } finally {
      device.dispose();
    }
  },
});

/** @returns the exit code: 1 where something could not be read */
async function predictAll(
  model: PictureClassifier,
  inputs: readonly string[],
  { device, views }: { readonly device: Device; readonly views: ViewCount },
  output: Output,
): Promise<number> {
  const failed = new Set<string>();
  const fail = (file: string, error: unknown): void => {
    if (!(error instanceof DataError)) throw error;
    failed.add(file);
    output.warning(`kernelwright: ${error.message}`);
    if (output.isJson) output.result('', { file, error: error.message });
  };
  for await (const files of batchesOf(inputs, fail)) {
    const { size, classNames } = model.description;
    const pictures = await mapLimited(files, async (file) => {
      try {
        return (await readPicture(file, { size })).pixels;
      } catch (error) {
        return { error };
      }
    });
    const readable = pictures.filter((picture) => picture instanceof Uint8Array);
    const answers = await classify(model, dataOf(model, readable), device, { views });
    for (const [i, picture] of pictures.entries()) {
      const file = files[i] ?? '';
      if (!(picture instanceof Uint8Array)) {
        fail(file, picture.error);
        continue;
      }
      const answer = elementAt(answers, readable.indexOf(picture));
      const { predicted, probabilities } = answer;
      output.result(`${printable(file)}: ${describeAnswer(answer, classNames)}`, {
        file,
        predicted,
        probabilities: Object.fromEntries(classNames.map((name, i) => [name, probabilities[i]])),
      });
    }
  }
  return failed.size > 0 ? 1 : 0;
}

/** The files, those in folders one by one, in batches. */
async function* batchesOf(
  inputs: readonly string[],
  fail: (input: string, error: unknown) => void,
): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for (const input of inputs) {
    for (const file of await filesOf(input, fail)) {
      batch.push(file);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function filesOf(input: string, fail: (input: string, error: unknown) => void): Promise<string[]> {
  const isFolder = await stat(input).then(
    (found) => found.isDirectory(),
    () => false, // reading it says why
  );
  if (!isFolder) return [input];
  try {
    const files = await picturesBelow(input);
    if (files.length === 0) throw new DataError(`${printable(input)}: there is no picture in it`);
    return files.map((file) => join(input, file));
  } catch (error) {
    fail(input, error);
    return [];
  }
}

function dataOf(model: PictureClassifier, pictures: readonly Uint8Array[]): ExampleData {
  const count = sizeOf(model.pictureShape);
  const inputs = new Uint8Array(pictures.length * count);
  for (const [i, pixels] of pictures.entries()) {
    storePicture(pixels, model.description.layout, inputs.subarray(i * count, (i + 1) * count));
  }
  return { inputs, inputShape: model.pictureShape, scale: 1 / 255 };
}
