/**
 * Trains a small convolutional net on two marks, as companies have them, printed in many variants, and tests it on marks that
 * are drawn by hand: wobbly, thin lines with gaps. The pictures are drawn first, into runs/logos/pictures.
 *
 *     npm run logos
 *     npm run logos -- --data my/logos/train --test my/logos/by-hand
 *
 * It writes what `npm run convnet` does.
 */
import { runExample } from '../program.js';
import { logos } from './task.js';

await runExample(logos);
