/**
 * Does what the article did, and then what does learn the wrenches:
 *
 *     npm run reproduce                                              on the bundled pictures, in a few minutes
 *     npm run reproduce -- --data DIR --test DIR --scenes FILE       on photos of one's own
 *
 * It writes to `--out`: reproduction.md, its figures, and results.json with all of its numbers.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { openDevice, writeFileAtomically } from 'kernelwright/node';
import { helpText, runProgram } from '../../lib/command-line/arguments.js';
import { carryOut, type Outcome } from './experiment.js';
import { experimentsFor } from './experiments.js';
import { drawJudgement, drawOutcome } from './figures.js';
import { OPTIONS, readOptions, type ReproduceOptions } from './options.js';
import { type Findings, numbersOf, pageOf } from './page.js';
import { judge } from './wrenches.js';

/** Of all that is drawn by chance. */
const SEED = 0;

await runProgram('reproduce', async (args) => {
  const options = readOptions(args);
  if (options) return reproduce(options);
  console.log(helpText('npm run reproduce -- [options]', OPTIONS));
  return 0;
});

async function reproduce(options: ReproduceOptions): Promise<number> {
  const { data, test, scenes, epochs, seeds, out } = options;
  const start = performance.now();
  const device = await openDevice(options.device);
  const setting = { data, ...(test !== undefined && { test }), device, seed: SEED };
  try {
    const outcomes: Outcome[] = [];
    for (const experiment of experimentsFor(device.info)) {
      console.log(`${experiment.title}, ${experiment.epochs} epochs`);
      const outcome = await carryOut(experiment, setting);
      const right = 100 * (outcome.history.validationAccuracy.at(-1) ?? NaN);
      console.log(`  ${right.toFixed(1)} % of the pictures held out, ${outcome.seconds.toFixed(1)} s`);
      await drawOutcome(outcome, out);
      outcomes.push(outcome);
    }
    console.log(`What does learn the wrenches: ${5 * seeds} trainings of ${epochs} epochs`);
    const judgement = await judge({
      ...{ data, epochs, device, onTrained: (line: string) => console.log(`  ${line}`) },
      ...(scenes !== undefined && { scenes }),
      seeds: Array.from({ length: seeds }, (_, i) => SEED + i),
    });
    await drawJudgement(judgement, out);
    const [cpu] = cpus();
    const findings: Findings = {
      ...{ data, device: device.info, outcomes, judgement, judgedEpochs: epochs },
      machine: `${cpus().length} × ${cpu?.model.trim() ?? 'an unknown processor'}, Node ${process.versions.node}`,
      seconds: (performance.now() - start) / 1000,
    };
    const page = pageOf(findings);
    await writeFileAtomically(join(out, 'reproduction.md'), page);
    await writeFileAtomically(join(out, 'results.json'), `${JSON.stringify(numbersOf(findings), null, 2)}\n`);
    console.log(`\n${page}\nresults are in ${out}`);
    return 0;
  } finally {
    device.dispose();
  }
}
