/** Measures one point for bench/scale/points.ts: `worker.ts DEVICE SCALE`, both given and answered as JSON. */
import type { Device } from '../../lib/index.js';
import { openDevice } from '../../lib/node/index.js';
import { openNullDevice } from '../host/null-device.js';
import { measure } from '../measure.js';
import { millisecondsOf } from '../step/rounds.js';
import { BufferLedger } from './buffer-ledger.js';
import type { StepFigures } from './points.js';
import { residentBytes } from './process-memory.js';
import { type Scale, scaledStep } from './scaled-step.js';

/** Runs of what is short. The fastest counts, as for the roofs: what else the machine does may lengthen runs only. */
const MOST_RUNS = 25;

const [name, scale] = process.argv.slice(2);
if ((name !== 'cpu' && name !== 'webgpu') || scale === undefined) throw new Error('usage: worker.ts DEVICE SCALE');
console.log(JSON.stringify(await figuresOf(await openDevice(name), JSON.parse(scale) as Scale)));

async function figuresOf(device: Device, size: Scale): Promise<StepFigures> {
  const ledger = new BufferLedger(device);
  const [millisecondsPerStep, held] = await timeSteps(device, size, () => ({
    ...ledger.now,
    residentBytes: residentBytes(),
  }));
  const [hostMillisecondsPerStep] = await timeSteps(await openNullDevice(), size, () => undefined);
  return { millisecondsPerStep, hostMillisecondsPerStep, ...held };
}

/** The time of a step, and what `look` sees while the step is in memory. The device is disposed of in the end. */
async function timeSteps<Seen>(device: Device, size: Scale, look: () => Seen): Promise<[number, Seen]> {
  const step = scaledStep(device, size);
  await step.run(1);
  const { fastestMilliseconds } = await measure((steps) => millisecondsOf(() => step.run(steps)), MOST_RUNS);
  const seen = look();
  step.dispose();
  device.dispose();
  return [fastestMilliseconds, seen];
}
