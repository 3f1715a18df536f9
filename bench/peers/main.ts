/**
 * Benchmarks this library beside others on the same work, round by round in turn, each in a process of its own:
 *
 *     npm run bench:peers                        MyNet's training step
 *     npm run bench:peers -- host                its host's share, on Dawn's null backend
 *     npm run bench:peers -- matmul              square matrices
 *     npm run bench:peers -- step --json step.json --only jax-js,kernelwright
 *
 * What is timed is checked first: all libraries must compute the same losses from the same weights, and the same
 * products. A library that does not run here is left out, and the reason is printed.
 */
import { helpText, numberOption, parseOptions, runProgram } from '../../examples/cli.js';
import { OptionError } from '../../lib/index.js';
import { factsOf, heading, versionsOf, writeReport } from '../step/report.js';
import { installPeers } from './install.js';
import { runHost, runMatmul, runStep } from './modes.js';
import { Peer } from './peer.js';
import { type Backend, CONTESTANTS } from './protocol.js';

const OPTIONS = {
  json: { value: 'FILE', help: 'write the results to FILE' },
  rounds: { value: 'N', help: 'rounds a library (default 7)' },
  only: { value: 'NAMES', help: 'only libraries whose names begin so, with commas between' },
};

const MODES = { step: runStep, host: runHost, matmul: runMatmul };

/** Of the libraries in this package's lockfile. */
const PACKAGES = [
  'webgpu',
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  '@jax-js/jax',
];

await runProgram('bench:peers', async (args) => {
  const { mode, options } = readArguments(args);
  if (options.help) {
    console.log(helpText('npm run bench:peers -- [step|host|matmul] [options]', OPTIONS));
    return 0;
  }
  installPeers();
  const rounds = numberOption('rounds', options.rounds, 7, { min: 1, isWhole: true });
  const only = typeof options.only === 'string' ? options.only.split(',') : [''];
  const peers = await startPeers(mode === 'host' ? 'null' : 'adapter', only);
  try {
    const adapter = peers.find(({ id }) => id.device === 'webgpu')?.description ?? 'none';
    const device = mode === 'host' ? "Dawn's null backend" : adapter;
    const facts = factsOf(device, versionsOf(PACKAGES, new URL('.', import.meta.url)));
    const { results, table } = await MODES[mode](peers, rounds);
    console.log(`${heading(facts)}\n\n${table}`);
    if (typeof options.json === 'string') await writeReport(options.json, { ...facts, results });
    return 0;
  } finally {
    for (const peer of peers) peer.stop();
  }
});

function readArguments(args: readonly string[]) {
  const [first = ''] = args;
  const isNamed = args.length > 0 && !first.startsWith('-');
  const mode = isNamed ? first : 'step';
  if (!isMode(mode)) throw new OptionError(`unknown mode '${mode}': expected ${Object.keys(MODES).join(', ')}`);
  return { mode, options: parseOptions(isNamed ? args.slice(1) : args, OPTIONS) };
}

function isMode(text: string): text is keyof typeof MODES {
  return Object.hasOwn(MODES, text);
}

/** One after the other: loading is no part of what is compared. */
async function startPeers(backend: Backend, only: readonly string[]): Promise<readonly Peer[]> {
  const wanted = CONTESTANTS.filter(({ name }) => only.some((start) => name.startsWith(start)));
  const peers: Peer[] = [];
  for (const id of wanted) {
    // On the null backend ours is timed in this process.
    if (backend === 'null' && (id.device !== 'webgpu' || id.library === 'kernelwright')) continue;
    try {
      peers.push(await Peer.start(id, backend));
    } catch (error) {
      console.log(`left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (wanted.length === 0) throw new OptionError(`--only ${only.join(',')}: there is no such library`);
  return peers;
}
