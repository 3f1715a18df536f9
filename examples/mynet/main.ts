/**
 * Trains MyNet, the small net of the wrench article, on a folder of pictures, and predicts some others:
 *
 *     npm run mynet
 *     npm run mynet -- --data my/pictures/train --test my/pictures/test --epochs 60
 *
 * It writes to `--out`: history.json (one number an epoch), predictions.json, and the weights of the best and of the
 * last epoch as .safetensors, which PyTorch reads into the same net by name.
 */
import { DataError, splitByClass, type LabelledData } from 'kernelwright';
import { imageFolder, openDevice } from 'kernelwright/node';
import { printable } from '../../lib/printable.js';
import { helpText, runProgram } from '../cli.js';
import { MyNet } from './model.js';
import { OPTIONS, readOptions, type Options } from './options.js';
import { describePrediction, predictPictures, savePredictions } from './predictions.js';
import { train } from './training.js';

/** Width and height that every picture is resized to. */
const SIZE = { width: 28, height: 28 };
/** What shells report for a program that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

await runProgram('mynet', async (args) => {
  const options = readOptions(args);
  if (options) return run(options);
  console.log(helpText('npm run mynet -- [options]', OPTIONS));
  return 0;
});

async function run(options: Options): Promise<number> {
  // All pictures are read before anything is trained, so that a broken one shows at once.
  const pictures = await readPictures(options.data);
  const test = options.test === undefined ? undefined : await readPictures(options.test);
  if (test) checkClasses(pictures, test, options);
  const split = splitByClass(pictures, { validation: options.validationSplit, seed: options.seed });
  const device = await openDevice(options.device);
  try {
    console.log(`device: ${device.info.description} (${device.info.reason})`);
    console.log(`pictures: ${split.training.labels.length} to train on, ${split.validation.labels.length} held out\n`);
    const model = new MyNet(options.hidden, pictures.classNames.length, options.dropout);
    model.build(pictures.inputShape, { seed: options.seed });
    model.summary();
    console.log();
    const { isInterrupted, epochs } = await train(model, split, options, device);
    if (isInterrupted) {
      console.log(`\ninterrupted after ${epochs} epochs; the history and weights so far are in ${options.out}`);
      return INTERRUPTED;
    }
    const predictions = test ? await predictPictures(model, test, device) : [];
    await savePredictions(options.out, predictions);
    const lines = predictions.map((prediction) => describePrediction(prediction, pictures.classNames));
    console.log(['', ...lines, '', `results are in ${options.out}`].join('\n'));
    return 0;
  } finally {
    device.dispose();
  }
}

/** A folder of pictures, each as one row of numbers in the order channel, row, column. */
async function readPictures(directory: string): Promise<LabelledData> {
  const pictures = await imageFolder(directory, { size: SIZE });
  return { ...pictures, inputShape: [pictures.inputShape.reduce((product, size) => product * size, 1)] };
}

function checkClasses(data: LabelledData, test: LabelledData, options: Options): void {
  if (data.classNames.join('\n') === test.classNames.join('\n')) return;
  throw new DataError(
    printable(
      `the classes differ: ${options.data} has ${data.classNames.join(', ')}; ` +
        `${options.test ?? ''} has ${test.classNames.join(', ')}`,
    ),
  );
}
