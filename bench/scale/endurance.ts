import type { Device } from '../../lib/index.js';
import { median } from '../measure.js';
import { type BufferCount, BufferLedger } from './buffer-ledger.js';
import { heapBytes, residentBytes } from './process-memory.js';
import { scaledStep } from './scaled-step.js';

/** Memory after so many steps. */
export interface MemorySample extends BufferCount {
  readonly library: 'kernelwright';
  readonly device: string;
  readonly steps: number;
  readonly residentBytes: number;
  /** Bytes of JavaScript objects. */
  readonly heapBytes: number;
}

/** A net that is small enough for ten thousand steps in seconds, on a software adapter too. */
const SMALL = { inputs: 64, batch: 8, hidden: 32, examples: 64 };

const SAMPLES = 10;
const STEPS_BETWEEN_SAMPLES = 1000;
const STEPS_BETWEEN_READS = 100;

/** By how much the process may grow. */
const GROWTH_ALLOWED = 0.05;

/** Trains 10,000 steps and looks at the memory after every 1,000. The device is disposed of in the end. */
export async function sampleMemory(device: Device): Promise<readonly MemorySample[]> {
  const ledger = new BufferLedger(device);
  const step = scaledStep(device, SMALL);
  const samples: MemorySample[] = [];
  for (let sample = 1; sample <= SAMPLES; sample++) {
    for (let steps = 0; steps < STEPS_BETWEEN_SAMPLES; steps += STEPS_BETWEEN_READS) {
      await step.run(STEPS_BETWEEN_READS);
      await step.readLoss();
    }
    samples.push({
      library: 'kernelwright',
      device: device.info.kind,
      steps: sample * STEPS_BETWEEN_SAMPLES,
      ...ledger.now,
      residentBytes: residentBytes(),
      heapBytes: heapBytes(),
    });
  }
  step.dispose();
  device.dispose();
  return samples;
}

/**
 * What grew, in words; empty where all is well. Buffers must stay exactly the same, the process within 5 %, where the
 * median of the last three samples is compared with that of the first three: drivers take and give back memory at will.
 */
export function growthOf(samples: readonly MemorySample[]): readonly string[] {
  const [first] = samples;
  if (!first) throw new Error('there are no samples of memory');
  const grew: string[] = [];
  for (const { steps, buffers, bytes } of samples) {
    if (buffers === first.buffers && bytes === first.bytes) continue;
    grew.push(`buffers: ${buffers} of ${bytes} bytes at step ${steps}, ${first.buffers} of ${first.bytes} before`);
  }
  for (const [what, value] of [
    ['the process', ({ residentBytes }: MemorySample) => residentBytes],
    ['the JavaScript heap', ({ heapBytes }: MemorySample) => heapBytes],
  ] as const) {
    const growth = median(samples.slice(-3).map(value)) / median(samples.slice(0, 3).map(value)) - 1;
    if (growth > GROWTH_ALLOWED) grew.push(`${what}: by ${(100 * growth).toFixed(1)} % after step ${first.steps}`);
  }
  return grew;
}
