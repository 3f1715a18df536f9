/**
 * Trains MobileNetV2 with a new last layer on a folder of pictures, and predicts some others:
 *
 *     npm run mobilenet
 *     npm run mobilenet -- --data my/pictures/train --test my/pictures/test --weights mobilenet_v2.safetensors --freeze
 *
 * It writes to `--out`: history.json (one number an epoch), predictions.json, and the models of the best and of the
 * last epoch as .safetensors, which torchvision's net reads.
 */
import { runExample } from '../program.js';
import { mobilenet } from './task.js';

await runExample(mobilenet);
