import { type Contestant, millisecondsOf } from '../step/rounds.js';
import { myNetStep } from '../step/mynet-step.js';
import { DROPOUT, makeWorkload } from '../step/workload.js';
import { type CallCounts, countCalls, countsPerStep } from './call-counts.js';
import { FitEpochs } from './fit-epochs.js';
import { BareLoop } from './floor.js';
import { interfaces, openNullDevice } from './null-device.js';

/** Steps in a submit of the second bare loop. */
const STEPS_PER_SUBMIT = 16;

/** Steps that calls are counted over. */
const COUNTED_STEPS = 512;

/** One way to run a step: how it is timed, and what it calls. */
export interface Way {
  readonly library: string;
  readonly name: string;
  readonly counts: CallCounts;
  readonly round: Contestant['round'];
}

/** Ours in a loop of its own and by `fit`, and bare loops over as many dispatches. */
export async function prepareWays(): Promise<readonly Way[]> {
  const device = await openNullDevice();
  const step = myNetStep(device, makeWorkload(), DROPOUT);
  await step.run(COUNTED_STEPS);
  await step.runOneByOne(COUNTED_STEPS);
  const counts = await countCalls(interfaces, () => step.runOneByOne(COUNTED_STEPS));
  const repeated = await countCalls(interfaces, () => step.run(COUNTED_STEPS));
  const epochs = new FitEpochs(device);
  const ours: Way[] = [
    {
      library: 'kernelwright',
      name: 'compile, 1 a submit',
      counts: countsPerStep(counts, COUNTED_STEPS),
      round: (steps) => millisecondsOf(() => step.runOneByOne(steps)),
    },
    {
      library: 'kernelwright',
      name: 'compile, many a submit',
      counts: countsPerStep(repeated, COUNTED_STEPS),
      round: (steps) => millisecondsOf(() => step.run(steps)),
    },
    {
      library: 'kernelwright',
      name: 'fit',
      counts: await epochs.counts(interfaces),
      round: (steps) => epochs.milliseconds(steps / FitEpochs.STEPS),
    },
  ];
  const dispatches = Math.round(counts.dispatches / COUNTED_STEPS);
  const floor = new BareLoop(device.gpu, dispatches);
  for (const stepsPerSubmit of [1, STEPS_PER_SUBMIT]) {
    const run = (steps: number) => floor.run(steps, stepsPerSubmit);
    ours.push({
      library: 'bare loop',
      name: `bare loop, ${stepsPerSubmit} a submit`,
      counts: countsPerStep(await countCalls(interfaces, () => run(COUNTED_STEPS)), COUNTED_STEPS),
      round: (steps) => millisecondsOf(() => run(steps)),
    });
  }
  return ours;
}
