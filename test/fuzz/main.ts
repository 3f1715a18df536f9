/**
 * Tries random programs until one is wrong, and prints the smallest like it:
 *
 *     npm run fuzz -- [--seconds N] [--seed S] [--only NAME] [--device cpu|webgpu]
 *
 * The time is divided among the campaigns. The same seed tries the same cases. Exit code 1 where something is wrong.
 */
import { helpText, numberOption, type OptionHelp, parseOptions, runProgram } from '../../lib/command-line/arguments.js';
import { OptionError } from '../../lib/errors.js';
import { suggest } from '../../lib/suggest.js';
import { CAMPAIGNS, type NamedCampaign } from './campaigns.js';

const OPTIONS = {
  seconds: { value: 'N', help: 'how long to search (default 60)' },
  seed: { value: 'S', help: 'which cases to try (default: others each time)' },
  only: { value: 'NAME', help: `one of ${CAMPAIGNS.map(({ name }) => name).join(', ')}` },
  device: { value: 'NAME', help: 'cpu or webgpu (default: both)' },
} as const satisfies Record<string, OptionHelp>;

/** A seed is a 32-bit integer. */
const SEEDS = { min: 0, max: 2 ** 31 - 1, isWhole: true };

await runProgram('fuzz', async (args) => {
  const values = parseOptions(args, OPTIONS);
  if (values.help) {
    console.log(helpText('npm run fuzz -- [--option value ...]', OPTIONS));
    return 0;
  }
  const seed = numberOption('seed', values.seed, Math.floor(Math.random() * SEEDS.max), SEEDS);
  const seconds = numberOption('seconds', values.seconds, 60, { min: 1 });
  const chosen = select(values.only, values.device ?? process.env['KERNELWRIGHT_DEVICE']);
  let wrong = 0;
  for (const { name, start } of chosen) {
    const { cases, problem } = await (await start())(seed, { seconds: seconds / chosen.length });
    console.log(`${name}: ${cases} cases, ${problem === undefined ? 'all right' : `WRONG: ${problem}`}\n`);
    if (problem !== undefined) wrong++;
  }
  return wrong > 0 ? 1 : 0;
});

function select(only: string | true | undefined, device: string | true | undefined): readonly NamedCampaign[] {
  const names = CAMPAIGNS.map(({ name }) => name);
  if (only !== undefined && !names.includes(String(only))) {
    throw new OptionError(`--only ${only}: there is no such campaign${suggest(String(only), names)}`);
  }
  const chosen = CAMPAIGNS.filter(
    (campaign) =>
      (only === undefined || campaign.name === only) && (device === undefined || campaign.device === device),
  );
  if (chosen.length === 0) throw new OptionError(`nothing to try there: --device is ${device ?? 'not given'}`);
  return chosen;
}
