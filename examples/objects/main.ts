/**
 * Trains a small convolutional net on ten classes: boats, cars, cups and other things in scenes. The pictures are drawn first,
 * into runs/objects/pictures.
 *
 *     npm run objects
 *     npm run objects -- --data my/pictures/train --test my/pictures/test
 *
 * It writes what `npm run convnet` does.
 */
import { runExample } from '../program.js';
import { objects } from './task.js';

await runExample(objects);
