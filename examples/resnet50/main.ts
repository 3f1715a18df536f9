/**
 * Trains ResNet-50 with a new last layer on a folder of pictures, and predicts some others:
 *
 *     npm run resnet50
 *     npm run resnet50 -- --data my/pictures/train --test my/pictures/test --weights resnet50.safetensors --freeze
 *
 * It writes to `--out`: history.json (one number an epoch), predictions.json, and the models of the best and of the
 * last epoch as .safetensors, which torchvision's net reads.
 */
import { runExample } from '../program.js';
import { resnet50 } from './task.js';

await runExample(resnet50);
