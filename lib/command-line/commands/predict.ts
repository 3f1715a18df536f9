import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { elementAt } from '../../element-at.js';
import { DataError, type Device, type ExampleData, type PictureClassifier } from '../../index.js';
import { loadModel, openDevice, readPicture } from '../../node/index.js';
import { storePicture } from '../../node/pictures/image-folder.js';
import { mapLimited } from '../../node/pictures/map-limited.js';
import { filesBelow } from '../../node/pictures/picture-files.js';
import { printable } from '../../printable.js';
import { sizeOf } from '../../shape.js';
import { checkWords } from '../arguments.js';
import { defineCommand } from '../command.js';
import type { Output } from '../output.js';
import {
  DEVICE_OPTION,
  deviceOption,
  OUTPUT_OPTIONS,
  outputFor,
  type ViewCount,
  VIEWS_OPTION,
  viewsOption,
} from '../shared-options.js';
import { classify, describeAnswer } from '../training/predictions.js';

/** Pictures that are in memory at the same time, as bytes of the model's size. */
const BATCH = 64;

export const predictCommand = defineCommand({
  name: 'predict',
  words: 'MODEL FILE...',
  summary: 'Says what is on pictures: files, and all pictures in folders.',
  options: {
    views: VIEWS_OPTION,
    device: DEVICE_OPTION,
    ...OUTPUT_OPTIONS,
  },
  notes: [
    '',
    'MODEL is a file that train wrote. A picture that cannot be read is told on standard error; the others are predicted, and',
    'the exit code is 1. With --json a list: of each { file, predicted, probabilities: { class: share } }, or { file, error }.',
  ],
  async run(values, words) {
    checkWords(words, 'a model and pictures: kernelwright predict MODEL FILE...', 2);
    const [path = '', ...inputs] = words;
    const output = outputFor(values);
    const views = viewsOption(values.views);
    const model = await loadModel(path);
    const device = await openDevice(deviceOption(values.device));
    try {
      return await predictAll(model, inputs, { device, views }, output);
    } finally {
      device.dispose();
    }
  },
});

/** What is said of an input. */
type Found =
  | { readonly file: string; readonly error: string }
  | { readonly file: string; readonly predicted: string; readonly probabilities: Readonly<Record<string, number>> };

/** @returns the exit code: 1 where something could not be read */
async function predictAll(
  model: PictureClassifier,
  inputs: readonly string[],
  { device, views }: { readonly device: Device; readonly views: ViewCount },
  output: Output,
): Promise<number> {
  const { size, storedSize = size, classNames } = model.description;
  const found: Found[] = [];
  for await (const batch of batchesOf(inputs)) {
    const pictures = await mapLimited(batch, async ({ file, problem }) => {
      if (problem) return problem;
      try {
        return (await readPicture(file, { size: storedSize })).pixels;
      } catch (error) {
        if (error instanceof DataError) return error;
        throw error;
      }
    });
    const readable = pictures.filter((picture) => picture instanceof Uint8Array);
    const answers = await classify(model, dataOf(model, readable), device, views);
    for (const [i, picture] of pictures.entries()) {
      const { file } = elementAt(batch, i);
      if (picture instanceof DataError) {
        output.warning(`kernelwright: ${picture.message}`);
        found.push({ file, error: picture.message });
        continue;
      }
      const answer = elementAt(answers, readable.indexOf(picture));
      const { predicted, probabilities } = answer;
      output.partOfResult(`${printable(file)}: ${describeAnswer(answer, classNames)}`);
      const shares = Object.fromEntries(classNames.map((name, i) => [name, elementAt(probabilities, i)]));
      found.push({ file, predicted, probabilities: shares });
    }
  }
  if (output.isJson) output.result('', found);
  return found.some((entry) => 'error' in entry) ? 1 : 0;
}

/** A file to be predicted, or a folder of which nothing can. */
interface Input {
  readonly file: string;
  readonly problem?: DataError;
}

/** The inputs, of folders their files one by one, in batches. */
async function* batchesOf(inputs: readonly string[]): AsyncGenerator<Input[]> {
  let batch: Input[] = [];
  for (const input of inputs) {
    for (const file of await filesOf(input)) {
      batch.push(file);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function filesOf(input: string): Promise<Input[]> {
  const isFolder = await stat(input).then(
    (found) => found.isDirectory(),
    () => false, // reading it says why
  );
  if (!isFolder) return [{ file: input }];
  try {
    const { pictures } = await filesBelow(input);
    if (pictures.length === 0) throw new DataError(`${printable(input)}: there is no picture in it`);
    return pictures.map((file) => ({ file: join(input, file) }));
  } catch (error) {
    if (error instanceof DataError) return [{ file: input, problem: error }];
    throw error;
  }
}

function dataOf(model: PictureClassifier, pictures: readonly Uint8Array[]): ExampleData {
  const { storedShape: inputShape } = model;
  const count = sizeOf(inputShape);
  const inputs = new Uint8Array(pictures.length * count);
  for (const [i, pixels] of pictures.entries()) {
    storePicture(pixels, model.description.layout, inputs.subarray(i * count, (i + 1) * count));
  }
  return { inputs, inputShape, scale: 1 / 255 };
}
