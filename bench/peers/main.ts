/**
 * Benchmarks this library beside others on the same work, round by round in turn, each in a process of its own:
 *
 *     npm run bench:peers                        MyNet's training step
 *     npm run bench:peers -- host                its host's share, on Dawn's null backend
 *     npm run bench:peers -- matmul              square matrices
 *     npm run bench:peers -- conv                convolutions of ResNet-50 and MobileNetV2, with both gradients
 *     npm run bench:peers -- mobilenet           MobileNetV2's training step; resnet50: that of ResNet-50
 *     npm run bench:peers -- all                 one after the other: what docs/benchmarks.md shows
 *     npm run bench:peers -- step --adapter swiftshader,lavapipe
 *     npm run bench:peers -- step --json step.json --only jax-js,kernelwright
 *
 * What is timed is checked first: all libraries must compute the same losses from the same weights, and the same
 * products. A library that does not run here is left out, and the reason is printed. The output is Markdown.
 */
import {
  helpText,
  numberOption,
  type OptionValues,
  parseCommandLine,
  runProgram,
} from '../../lib/command-line/arguments.js';
import { OptionError } from '../../lib/index.js';
import { type AdapterName, AdapterError, adapterEnvironment, ADAPTERS, isAdapterName } from '../../tools/adapters.js';
import { type Facts, factsOf, heading, versionsOf, writeReport } from '../step/report.js';
import { installPeers } from './install.js';
import { runConvolutions } from './mode-convolutions.js';
import { runNet } from './mode-nets.js';
import { runHost, runMatmul, runStep } from './modes.js';
import { Peer } from './peer.js';
import { CONTESTANTS } from './protocol.js';

const OPTIONS = {
  adapter: {
    value: 'NAMES',
    help: `WebGPU by ${ADAPTERS.join(', ')}; several with commas between are compared (default: ${ADAPTERS[0]})`,
  },
  json: { value: 'FILE', help: 'write the results to FILE' },
  rounds: { value: 'N', help: 'rounds a library (default 7)' },
  only: { value: 'NAMES', help: 'only libraries whose names begin so, with commas between' },
};

const MODES = {
  step: { title: 'A training step', run: runStep, rounds: 7 },
  host: { title: "The host's share", run: runHost, rounds: 7 },
  matmul: { title: 'Matrix multiplication', run: runMatmul, rounds: 3 },
  conv: { title: 'Convolutions', run: runConvolutions, rounds: 3 },
  mobilenet: { title: "MobileNetV2's training step", run: runNet('mobilenet'), rounds: 5 },
  resnet50: { title: "ResNet-50's training step", run: runNet('resnet50'), rounds: 5 },
} as const;

type Mode = keyof typeof MODES;

const MODE_NAMES = Object.keys(MODES).filter(isMode);

/** Of the libraries in this package's lockfile. */
const PACKAGES = [
  'webgpu',
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  '@jax-js/jax',
];

await runProgram('bench:peers', async (args) => {
  const { modes, options } = readArguments(args);
  if (options.help) {
    console.log(helpText(`npm run bench:peers -- [${MODE_NAMES.join('|')}|all] [options]`, OPTIONS));
    return 0;
  }
  installPeers();
  const rounds = (mode: Mode) =>
    numberOption('rounds', options.rounds, MODES[mode].rounds, { min: 1, max: 1000, isWhole: true });
  const only = typeof options.only === 'string' ? options.only.split(',') : [''];
  const adapters = await openAdapters(options.adapter);
  const results: object[] = [];
  let facts: Facts | undefined;
  for (const mode of modes) {
    const { peers, leftOut } = await startPeers(mode, only, adapters);
    try {
      if (!facts) console.log(heading((facts = factsAbout(peers))));
      const outcome = await MODES[mode].run(peers, rounds(mode));
      results.push(...outcome.results);
      console.log(`\n${[`## ${MODES[mode].title}`, outcome.markdown, ...leftOut].join('\n\n')}`);
    } finally {
      for (const peer of peers) peer.stop();
    }
  }
  if (typeof options.json === 'string') await writeReport(options.json, { ...facts, results });
  return 0;
});

/** The versions of all libraries, and what they run on where that is not plain from their names. */
function factsAbout(peers: readonly Peer[]): Facts {
  const described = peers.filter(({ id, adapter }) => adapter !== undefined || id.library === 'pytorch');
  const devices = new Set(described.map(({ description }) => description));
  const versions = versionsOf(PACKAGES, new URL('.', import.meta.url));
  return factsOf([...devices].join('; ') || "Dawn's null backend", versions);
}

function readArguments(args: readonly string[]): {
  modes: readonly Mode[];
  options: OptionValues<keyof typeof OPTIONS | 'help'>;
} {
  const { values: options, words } = parseCommandLine(args, OPTIONS);
  const [word = 'step', ...others] = words;
  if (others.length > 0) throw new OptionError(`expected one mode, found ${words.join(' ')}`);
  if (word === 'all') return { modes: MODE_NAMES, options };
  if (!isMode(word)) throw new OptionError(`unknown mode '${word}': expected ${MODE_NAMES.join(', ')} or all`);
  return { modes: [word], options };
}

function isMode(text: string): text is Mode {
  return Object.hasOwn(MODES, text);
}

/** The adapters that are asked for, each with the environment that a process needs for it. */
async function openAdapters(
  names: string | true | undefined,
): Promise<ReadonlyMap<AdapterName, Record<string, string>>> {
  const adapters = new Map<AdapterName, Record<string, string>>();
  for (const name of typeof names === 'string' ? names.split(',') : [ADAPTERS[0]]) {
    if (!isAdapterName(name)) throw new OptionError(`unknown adapter '${name}': expected ${ADAPTERS.join(', ')}`);
    try {
      adapters.set(name, await adapterEnvironment(name));
    } catch (error) {
      if (error instanceof AdapterError) throw new OptionError(`--adapter ${name}: ${error.message}`);
      throw error;
    }
  }
  return adapters;
}

/** One after the other: loading is no part of what is compared. */
async function startPeers(
  mode: Mode,
  only: readonly string[],
  adapters: ReadonlyMap<AdapterName, Record<string, string>>,
): Promise<{ peers: readonly Peer[]; leftOut: readonly string[] }> {
  const wanted = CONTESTANTS.filter(({ name }) => only.some((start) => name.startsWith(start)));
  if (wanted.length === 0) throw new OptionError(`--only ${only.join(',')}: there is no such library`);
  const peers: Peer[] = [];
  const leftOut: string[] = [];
  const start = async (...parameters: Parameters<typeof Peer.start>): Promise<void> => {
    try {
      peers.push(await Peer.start(...parameters));
    } catch (error) {
      leftOut.push(`Left out: ${error instanceof Error ? error.message : String(error)}.`);
    }
  };
  for (const id of wanted) {
    const { name, library, device } = id;
    if (mode === 'host') {
      // On the null backend ours is timed in this process.
      if (device === 'webgpu' && library !== 'kernelwright')
        await start(id, { backend: 'null', environment: {} }, name);
      continue;
    }
    if (device !== 'webgpu') {
      // More threads make a step as small as MyNet's slower with PyTorch.
      if (mode !== 'step' || id.threads === 1 || library === 'kernelwright')
        await start(id, { backend: 'adapter', environment: {} }, name);
      continue;
    }
    for (const [adapter, environment] of adapters) {
      const onAdapter = adapters.size > 1 ? `${name}, ${adapter}` : name;
      await start(id, { backend: 'adapter', environment }, onAdapter, adapter);
    }
  }
  return { peers, leftOut };
}
