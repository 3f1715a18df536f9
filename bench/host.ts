/**
 * The host's share of MyNet's training step: milliseconds and WebGPU calls a step on Dawn's null backend, which
 * validates and executes nothing, beside the least that as many dispatches cost.
 *
 *     npm run bench:host -- --json host.json
 */
import { globals } from 'webgpu';
import { helpText, numberOption, parseOptions, runProgram } from '../examples/cli.js';
import { CALL_NAMES, type CallCounts, countCalls, countsPerStep } from './host/call-counts.js';
import { FitEpochs } from './host/fit-epochs.js';
import { BareLoop } from './host/floor.js';
import { openNullDevice } from './host/null-device.js';
import {
  formatCount,
  formatNumber,
  formatTable,
  heading,
  thisMachine,
  versionsOf,
  writeReport,
} from './step/report.js';
import { type Contestant, millisecondsOf, timeInTurn } from './step/rounds.js';
import { TrainingStep } from './step/training-step.js';
import { DROPOUT, makeWorkload } from './step/workload.js';

const OPTIONS = {
  json: { value: 'FILE', help: 'write the results to FILE' },
  rounds: { value: 'N', help: 'rounds of each way (default 9)' },
};

/** Steps in a submit of the second bare loop. */
const STEPS_PER_SUBMIT = 16;

/** Steps that calls are counted over. */
const COUNTED_STEPS = 64;

/** One way to run a step: how it is timed, and what it calls. */
interface Way {
  readonly library: string;
  readonly name: string;
  readonly counts: CallCounts;
  readonly round: Contestant['round'];
}

await runProgram('bench:host', async (args) => {
  const options = parseOptions(args, OPTIONS);
  if (options.help) {
    console.log(helpText('npm run bench:host -- [options]', OPTIONS));
    return 0;
  }
  const rounds = numberOption('rounds', options.rounds, 9, { min: 1, isWhole: true });
  const ways = await prepareWays();
  const times = await timeInTurn(ways, { rounds, milliseconds: 300, multipleOf: FitEpochs.STEPS });
  const results = ways.map(({ library, name, counts }) => {
    const { median = NaN, smallest = NaN, largest = NaN } = times.get(name) ?? {};
    return { library, name, device: 'webgpu', millisecondsPerStep: median, smallest, largest, ...counts };
  });
  const facts = { machine: thisMachine(), versions: versionsOf(['webgpu']), device: "Dawn's null backend" };
  console.log(`${heading(facts)}\n`);
  console.log(
    formatTable(
      ['a step', ...results.map(({ name }) => name)],
      [
        ['ms (median)', ...results.map(({ millisecondsPerStep }) => formatNumber(millisecondsPerStep))],
        ['smallest', ...results.map(({ smallest }) => formatNumber(smallest))],
        ['largest', ...results.map(({ largest }) => formatNumber(largest))],
        ...CALL_NAMES.map((name) => [name, ...results.map((result) => formatCount(result[name]))]),
      ],
    ),
  );
  if (typeof options.json === 'string') await writeReport(options.json, { ...facts, results });
  return 0;
});

/** Ours in a loop of its own and by `fit`, and bare loops over as many dispatches. */
async function prepareWays(): Promise<readonly Way[]> {
  const device = await openNullDevice();
  const step = new TrainingStep(device, makeWorkload(), DROPOUT);
  await step.run(COUNTED_STEPS);
  const counts = await countCalls(globals, () => step.run(COUNTED_STEPS));
  const epochs = new FitEpochs(device);
  const ours: Way[] = [
    {
      library: 'kernelwright',
      name: 'compile',
      counts: countsPerStep(counts, COUNTED_STEPS),
      round: (steps) => millisecondsOf(() => step.run(steps)),
    },
    {
      library: 'kernelwright',
      name: 'fit',
      counts: await epochs.counts(globals),
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
      counts: countsPerStep(await countCalls(globals, () => run(COUNTED_STEPS)), COUNTED_STEPS),
      round: (steps) => millisecondsOf(() => run(steps)),
    });
  }
  return ours;
}
