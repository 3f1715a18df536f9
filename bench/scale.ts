/**
 * Measures MyNet's training step as its work grows: the batch, the width of the hidden layer, the data set. There is no
 * cliff where the time of a multiply-add stays level or falls.
 *
 *     npm run bench:scale -- --picture scale.svg          on the CPU
 *     npm run bench:scale -- --device webgpu --json scale.json
 *     npm run bench:scale -- --memory                     10,000 steps of a small net: does memory stay level?
 *
 * Exit code 1: memory grew.
 */
import { helpText, parseOptions, runProgram } from '../lib/command-line/arguments.js';
import { writeFileAtomically } from '../lib/node/write-file.js';
import { type Device, OptionError } from '../lib/index.js';
import { openDevice } from '../lib/node/index.js';
import { growthOf, sampleMemory } from './scale/endurance.js';
import { drawScale } from './scale/picture.js';
import {
  type LeftOut,
  LONGEST_STEP_MILLISECONDS,
  measureAgain,
  measureSweep,
  type ScalePoint,
  SWEEPS,
} from './scale/points.js';
import { memoryTable, scaleTable } from './scale/tables.js';
import { type Facts, factsOf, heading, versionsOf, writeReport } from './step/report.js';
import { timeText } from './figures.js';

const OPTIONS = {
  device: { value: 'NAME', help: 'cpu or webgpu (default: cpu)' },
  adapter: { value: 'NAME', help: 'WebGPU by swiftshader or lavapipe (default: by what the machine has)' },
  memory: { help: 'train 10,000 steps and look at the memory instead' },
  picture: { value: 'FILE', help: 'draw the results, as SVG' },
  json: { value: 'FILE', help: 'write the results to FILE' },
};

await runProgram('bench:scale', async (args) => {
  const options = parseOptions(args, OPTIONS);
  if (options.help) {
    console.log(helpText('npm run bench:scale -- [options]', OPTIONS));
    return 0;
  }
  const device = options.device ?? 'cpu';
  if (device !== 'cpu' && device !== 'webgpu')
    throw new OptionError(`unknown device '${device}': expected cpu, webgpu`);
  const opened = await openDevice(device);
  const facts = factsOf(opened.info.description, versionsOf(['webgpu']));
  console.log(`${heading(facts)}\n`);
  if (options.memory) return watchMemory(opened, facts, options.json);

  opened.dispose();
  const points = await measureAll(device);
  if (typeof options.picture === 'string') await writeFileAtomically(options.picture, await drawScale(facts, points));
  if (typeof options.json === 'string') await writeReport(options.json, { ...facts, results: points });
  return 0;
});

async function watchMemory(device: Device, facts: Facts, json: string | true | undefined): Promise<number> {
  const samples = await sampleMemory(device);
  const grew = growthOf(samples);
  console.log(memoryTable(samples));
  console.log(`\n${grew.length === 0 ? 'Memory stayed level.' : `Memory grew.\n${grew.join('\n')}`}`);
  if (typeof json === 'string') await writeReport(json, { ...facts, results: samples });
  return grew.length === 0 ? 0 : 1;
}

async function measureAll(device: string): Promise<readonly ScalePoint[]> {
  const once: ScalePoint[] = [];
  const leftOut: LeftOut[] = [];
  for (const sweep of SWEEPS) {
    for await (const point of measureSweep(sweep, device)) {
      if ('expectedMilliseconds' in point) leftOut.push(point);
      else once.push(point);
      process.stderr.write('.');
    }
  }
  const points: ScalePoint[] = [];
  for (const point of once) {
    points.push(await measureAgain(point));
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  console.log(scaleTable(points));
  for (const { sweep, size, expectedMilliseconds } of leftOut) {
    console.log(
      `\nLeft out: ${sweep} ${size}, whose step would take about ${timeText(expectedMilliseconds)}, more than ` +
        `${timeText(LONGEST_STEP_MILLISECONDS)}.`,
    );
  }
  return points;
}
