import { openDevice } from '../../node/index.js';
import { ARCHITECTURE_NAMES } from '../../models/architectures.js';
import { checkWords, outliveReader } from '../arguments.js';
import { defineCommand } from '../command.js';
import type { Output } from '../output.js';
import { outputFor } from '../shared-options.js';
import { modelOption, readTrainingOptions, trainingOptions, type TrainingOptions } from '../training/options.js';
import { trainOnPictures } from '../training/program.js';
import { recipeLines } from '../training/recipes.js';

const OPTIONS = {
  model: { value: 'NAME', help: `the net: ${ARCHITECTURE_NAMES.join(', ')} (default convnet)` },
  ...trainingOptions(),
};

export const trainCommand = defineCommand({
  name: 'train',
  words: 'DIR',
  summary: 'Trains a net on a folder of pictures with a sub-folder for each class.',
  options: OPTIONS,
  notes: [
    '',
    'The nets, and what they are trained with where nothing else is said:',
    ...recipeLines(),
    '',
    'It writes to --out: best.safetensors and last.safetensors, the models of the epoch with the lowest validation loss and',
    'of the last one; history.json, a number an epoch; predictions.json, of the pictures of --test.',
    'Ctrl-C ends the training after the step at hand; all of it is written of what was trained so far (exit code 130). Once',
    'more, it ends the program at once.',
  ],
  async run(values, words) {
    checkWords(words, 'one folder of pictures: kernelwright train DIR', 1, 1);
    const [data = ''] = words;
    return trainWith(readTrainingOptions(modelOption(values.model), values, { data }), outputFor(values));
  },
});

/** Opens a device and trains on it. @returns the exit code */
export async function trainWith(options: TrainingOptions, output: Output): Promise<number> {
  outliveReader();
  const device = await openDevice(options.device, { onCompile: output.counter('kernels') });
  try {
    return await trainOnPictures(options, device, output);
  } finally {
    output.end();
    device.dispose();
  }
}
