/**
 * The host's share of MyNet's training step: milliseconds and WebGPU calls a step on Dawn's null backend, which
 * validates and executes nothing, beside the least that as many dispatches cost. `npm run bench:peers -- host` shows
 * other libraries beside it. Then how long it takes to record and to plan the steps of MobileNetV2 and ResNet-50.
 *
 *     npm run bench:host -- --json host.json
 */
import { helpText, numberOption, parseOptions, runProgram } from '../lib/command-line/arguments.js';
import { FitEpochs } from './host/fit-epochs.js';
import { hostTable, hostResults } from './host/host-table.js';
import { openNullDevice } from './host/null-device.js';
import { planningResults, planningTable } from './host/planning.js';
import { prepareWays } from './host/ways.js';
import { factsOf, heading, versionsOf, writeReport } from './step/report.js';
import { timeInTurn } from './step/rounds.js';

const OPTIONS = {
  json: { value: 'FILE', help: 'write the results to FILE' },
  rounds: { value: 'N', help: 'rounds of each way (default 9)' },
};

await runProgram('bench:host', async (args) => {
  const options = parseOptions(args, OPTIONS);
  if (options.help) {
    console.log(helpText('npm run bench:host -- [options]', OPTIONS));
    return 0;
  }
  const rounds = numberOption('rounds', options.rounds, 9, { min: 1, max: 1000, isWhole: true });
  const planning = planningResults(await openNullDevice()); // while this process is fresh
  const ways = await prepareWays();
  const times = await timeInTurn(ways, { rounds, milliseconds: 300, multipleOf: FitEpochs.STEPS });
  const results = hostResults(ways, times);
  const facts = factsOf("Dawn's null backend", versionsOf(['webgpu']));
  console.log([heading(facts), hostTable(results), planningTable(planning)].join('\n\n'));
  if (typeof options.json === 'string') await writeReport(options.json, { ...facts, results, planning });
  return 0;
});
