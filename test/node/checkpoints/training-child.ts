/**
 * Trains in a process of its own, which the test beside it kills again and again:
 *
 *     training-child DEVICE DIRECTORY EPOCHS EVERY-STEPS
 *
 * It waits for a line on its input, goes on from the newest checkpoint of DIRECTORY, and prints a point a step, and at the end
 * what it came to.
 */
import { once } from 'node:events';
import { checkpoints, newestTrainingCheckpoint, openDevice } from '../../../lib/node/index.js';
import { trainTiny } from './tiny-training.js';

const [, , kind = '', directory = '', epochs, everySteps] = process.argv;
const device = await openDevice(kind === 'webgpu' ? 'webgpu' : 'cpu');
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const result = await trainTiny(device, {
  epochs: Number(epochs),
  resume: await newestTrainingCheckpoint(directory),
  callbacks: [
    { onStepEnd: () => void process.stdout.write('.') },
    checkpoints({ directory, everySteps: Number(everySteps) }),
  ],
});
process.stdout.write(`\n${result}`, () => process.exit());
