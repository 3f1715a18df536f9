/**
 * Runs reference cases against the library:
 *
 *     npm run conformance -- DIR [--device cpu|webgpu] [--only OP]
 *
 * DIR holds an index.json and .safetensors files in the format that the README of the vectors describes; its
 * sub-folders with an index.json of their own (`mynet/`) and results of models (`models/`) are read as well. Each case
 * runs forward and backward on the given device, or on both. Exit code 1 on any failure, 2 for a wrong command line.
 */
import { parseArgs } from 'node:util';
import type { Device } from '../../lib/device/device.js';
import { openDevice } from '../../lib/node/open-device.js';
import { suggest } from '../../lib/suggest.js';
import { type CaseEntry, readCases } from './index-file.js';
import { LoadedCase } from './loaded-case.js';
import { Report } from './report.js';
import { faultOf, groupOf, runCase, runnerOf } from './run-case.js';
import { UsageError } from './usage-error.js';

const USAGE = 'usage: npm run conformance -- DIR [--device cpu|webgpu] [--only OP]';
const DEVICES = ['cpu', 'webgpu'] as const;
type DeviceName = (typeof DEVICES)[number];

interface Options {
  readonly folder: string;
  readonly devices: readonly DeviceName[];
  readonly only: string | undefined;
}

/** Undefined where help was asked for. Throws UsageError. */
function readOptions(words: readonly string[]): Options | undefined {
  const options = { device: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const folders: string[] = [];
  const given = new Map<string, string | undefined>();
  for (const token of tokens) {
    if (token.kind === 'positional') folders.push(token.value);
    if (token.kind !== 'option') continue;
    if (!Object.hasOwn(options, token.name)) {
      const known = Object.keys(options).map((name) => `--${name}`);
      throw new UsageError(`unknown option ${token.rawName}${suggest(token.rawName, known)}\n${USAGE}`);
    }
    if (token.name !== 'help' && (token.value === undefined || token.value === '' || token.value.startsWith('-'))) {
      throw new UsageError(`${token.rawName} needs a value\n${USAGE}`);
    }
    given.set(token.name, token.value);
  }
  if (given.has('help')) return undefined;
  const [folder, ...others] = folders;
  if (folder === undefined || others.length > 0) {
    throw new UsageError(`expected one folder, found ${folders.length === 0 ? 'none' : folders.join(' ')}\n${USAGE}`);
  }
  return { folder, devices: devicesFrom(given.get('device')), only: given.get('only') };
}

/** The device that is named, on the command line or in KERNELWRIGHT_DEVICE; else both. */
function devicesFrom(option: string | undefined): readonly DeviceName[] {
  const word = option ?? process.env['KERNELWRIGHT_DEVICE'];
  if (word === undefined || word === '' || (option === undefined && word === 'auto')) return DEVICES;
  const device = DEVICES.find((known) => known === word);
  if (!device) throw new UsageError(`unknown device '${word}'${suggest(word, DEVICES)}: expected cpu or webgpu`);
  return [device];
}

function select(cases: readonly CaseEntry[], only: string | undefined): readonly CaseEntry[] {
  if (only === undefined) return cases;
  const selected = cases.filter((entry) => entry.op === only || groupOf(entry) === only);
  if (selected.length > 0) return selected;
  throw new UsageError(`no case has the operation '${only}'${suggest(only, [...new Set(cases.map(({ op }) => op))])}`);
}

async function runAll(cases: readonly CaseEntry[], devices: ReadonlyMap<DeviceName, Device>): Promise<boolean> {
  const report = new Report([...devices.keys()], (line) => console.log(line));
  for (const entry of cases) {
    const runner = runnerOf(entry);
    if (!runner) {
      report.unsupported(entry);
      continue;
    }
    const loaded = await LoadedCase.load(entry).catch((error: unknown) => faultOf(error));
    for (const [name, device] of devices) {
      const outcome =
        typeof loaded === 'string'
          ? ({ kind: 'failed', faults: [loaded] } as const)
          : await runCase(loaded, runner, device);
      report.add(entry, name, outcome);
    }
  }
  report.finish();
  return !report.hasFailures;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  const cases = select(await readCases(options.folder), options.only);
  const devices = new Map<DeviceName, Device>();
  try {
    for (const name of options.devices) {
      const device = await openDevice(name);
      devices.set(name, device);
      console.log(`${name}: ${device.info.description}`);
    }
    return (await runAll(cases, devices)) ? 0 : 1;
  } finally {
    for (const device of devices.values()) device.dispose();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : faultOf(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
