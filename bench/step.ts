/**
 * Times MyNet's training step on every device of this library, round by round in turn, once all of them have been seen
 * to compute the same losses:
 *
 *     npm run bench:step -- --json step.json
 *     npm run bench:step -- --profile --threads 1                   where the time of a step on the CPU goes
 *     npm run bench:step -- --profile --net mobilenet --threads 1   and of one of a convolutional net
 *     npm run bench:step -- --profile --net recipe --threads 1      and of the small one, on augmented pictures
 */
import { helpText, numberOption, type OptionValues, parseOptions, runProgram } from '../lib/command-line/arguments.js';
import { CpuDevice } from '../lib/device/cpu/device.js';
import { defaultThreads } from '../lib/device/cpu/host.js';
import { type Device, OptionError } from '../lib/index.js';
import { openDevice } from '../lib/node/index.js';
import { NET_NAMES, netDescription } from './nets/description.js';
import { netStep } from './nets/net-step.js';
import { recipeStep } from './nets/recipe-step.js';
import { EXAMPLES } from './scale/points.js';
import { type Scale, scaledStep } from './scale/scaled-step.js';
import { checkLosses, CHECKED_STEPS } from './step/check-losses.js';
import { operationsTable, type ProfiledStep, profileStep, profileTable, roofsOf } from './step/profile.js';
import { factsOf, formatNumber, formatTable, heading, versionsOf, writeReport } from './step/report.js';
import { millisecondsOf, timeInTurn } from './step/rounds.js';
import { myNetStep } from './step/mynet-step.js';
import { BATCH, DROPOUT, HIDDEN, INPUTS, makeWorkload } from './step/workload.js';

/** Nets with a profile, by operation: `recipe` is the small ConvNet on augmented pictures. */
const PROFILED = [...NET_NAMES, 'recipe'] as const;

const OPTIONS = {
  json: { value: 'FILE', help: 'write the results to FILE' },
  rounds: { value: 'N', help: 'rounds a device (default 7)' },
  device: { value: 'NAME', help: 'cpu: leave WebGPU out (default: all devices)' },
  profile: { help: 'time each step of the plan on the CPU device instead' },
  threads: { value: 'N', help: 'of the profile: threads (default: as many as openDevice takes)' },
  batch: { value: 'N', help: `of the profile: MyNet's pictures in a step (default ${BATCH})` },
  net: { value: 'NAME', help: `of the profile: ${PROFILED.join(' or ')} in place of MyNet, by operation` },
  all: { help: "of the profile: each step of the net's plan" },
  adapter: { value: 'NAME', help: 'WebGPU by swiftshader or lavapipe (default: by what the machine has)' },
};

/** The loss is read once in so many steps. */
const READ_EVERY = 10;

await runProgram('bench:step', async (args) => {
  const options = parseOptions(args, OPTIONS);
  if (options.help) {
    console.log(helpText('npm run bench:step -- [options]', OPTIONS));
    return 0;
  }
  if (options.profile) {
    await profile(options);
    return 0;
  }
  const rounds = numberOption('rounds', options.rounds, 7, { min: 1, max: 1000, isWhole: true });
  const devices = await openDevices(options.device !== 'cpu');
  const work = makeWorkload();

  const losses = new Map<string, readonly number[]>();
  for (const [name, device] of devices) {
    const step = myNetStep(device, work, 0);
    losses.set(name, await step.losses(CHECKED_STEPS));
    step.dispose();
  }
  checkLosses('reference', losses);

  const steps = [...devices].map(([name, device]) => ({ name, step: myNetStep(device, work, DROPOUT) }));
  const contestants = steps.map(({ name, step }) => ({
    name,
    round: (count: number) => millisecondsOf(() => step.run(count, READ_EVERY)),
  }));
  const times = await timeInTurn(contestants, { rounds, milliseconds: 500, multipleOf: READ_EVERY });
  const results = [...times].map(([device, { median, smallest, largest }]) => ({
    library: 'kernelwright',
    device,
    millisecondsPerStep: median,
    smallest,
    largest,
    description: devices.get(device)?.info.description,
  }));

  const facts = factsOf(devices.get('webgpu')?.info.description ?? 'none', versionsOf(['webgpu']));
  console.log(`${heading(facts)}\n`);
  console.log(
    formatTable(
      ['device', 'ms a step', 'smallest', 'largest', 'steps a second'],
      results.map(({ device, millisecondsPerStep, smallest, largest }) => [
        device,
        ...[millisecondsPerStep, smallest, largest, 1000 / millisecondsPerStep].map(formatNumber),
      ]),
    ),
  );
  if (typeof options.json === 'string') await writeReport(options.json, { ...facts, results });
  for (const device of devices.values()) device.dispose();
  return 0;
});

/** Prints where the time of a step goes. */
async function profile(options: OptionValues<keyof typeof OPTIONS>): Promise<void> {
  const threads = numberOption('threads', options.threads, defaultThreads(), { min: 1, max: 64, isWhole: true });
  const net = options.net === undefined ? undefined : netNamed(options.net);
  const rounds = numberOption('rounds', options.rounds, net ? 10 : 30, { min: 1, max: 1000, isWhole: true });
  const roofs = await roofsOf(threads);
  const profiled = net
    ? await profileStep(net, { threads, rounds, replays: 1, warmUp: 2 })
    : await profileStep((device) => scaledStep(device, scaleOf(options.batch)), {
        threads,
        rounds,
        replays: 20,
        warmUp: 50,
      });
  const texts = [roofs.gflops, roofs.gigabytesPerSecond].map(formatNumber);
  const facts = factsOf(`cpu, threads: ${threads}; roofs: ${texts.join(' GFLOP/s, ')} GB/s`, versionsOf([]));
  const table = (net && !options.all ? operationsTable : profileTable)(profiled, roofs);
  console.log(`${heading(facts)}\n\n${table}`);
  if (typeof options.json === 'string') await writeReport(options.json, { ...facts, roofs, results: [profiled] });
}

function netNamed(name: string | true): (device: Device) => ProfiledStep {
  const known = PROFILED.find((each) => each === name);
  if (!known) throw new OptionError(`unknown net '${name}': expected ${PROFILED.join(' or ')}`);
  if (known === 'recipe') return (device) => recipeStep(device);
  const net = netDescription(known);
  return (device) => netStep(device, net);
}

function scaleOf(batch: string | true | undefined): Scale {
  const size = numberOption('batch', batch, BATCH, { min: 1, max: EXAMPLES, isWhole: true });
  return { inputs: INPUTS, batch: size, hidden: HIDDEN, examples: EXAMPLES };
}

async function openDevices(withWebGpu: boolean): Promise<ReadonlyMap<string, Device>> {
  const devices = new Map<string, Device>([
    ['cpu', await openDevice('cpu')],
    ['reference', new CpuDevice({ path: 'reference', reason: 'for comparison' })],
  ]);
  if (withWebGpu) devices.set('webgpu', await openDevice('webgpu'));
  return devices;
}
