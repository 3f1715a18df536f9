/**
 * Trains a small convolutional net on a folder of pictures, and predicts some others: the net to start with.
 *
 *     npm run convnet
 *     npm run convnet -- --data my/pictures/train --test my/pictures/test --epochs 60
 *
 * It writes to `--out`: history.json (one number an epoch), predictions.json, and the models of the best and of the
 * last epoch as .safetensors, which PyTorch reads into the same net by name.
 */
import { runExample } from '../program.js';
import { convnet } from './task.js';

await runExample(convnet);
