/**
 * Trains MyNet, the small net of the wrench article, on a folder of pictures, and predicts some others:
 *
 *     npm run mynet
 *     npm run mynet -- --data my/pictures/train --test my/pictures/test --epochs 60
 *
 * It writes to `--out`: history.json (one number an epoch), predictions.json, and the models of the best and of the
 * last epoch as .safetensors, which PyTorch reads into the same net by name.
 */
import { runExample } from '../program.js';
import { mynet } from './task.js';

await runExample(mynet);
