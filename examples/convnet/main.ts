/**
 * Trains a small convolutional net on a folder of pictures, and predicts some others: the net to start with.
 *
 *     npm run convnet
 *     npm run convnet -- --data my/pictures/train --test my/pictures/test --epochs 60
 *
 * It writes to `--out`: history.json (one number an epoch), predictions.json, and the weights of the best and of the
 * last epoch as .safetensors, which PyTorch reads into the same net by name.
 */
import { runTraining } from '../../lib/command-line/training/program.js';
import { convnetProgram } from '../../lib/command-line/tasks/convnet.js';
import { bundled } from '../bundled.js';

await runTraining(convnetProgram, bundled);
