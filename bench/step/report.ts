import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { markdownTable } from 'markdown-table';
import { writeFileAtomically } from '../../lib/node/write-file.js';
import { figure } from '../figures.js';

/** The machine that a benchmark ran on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly platform: string;
  readonly arch: string;
}

/** What `--json` writes. */
export interface BenchmarkReport<Result> {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** What computed: the WebGPU adapter, or what was in place of one. */
  readonly device: string;
  readonly results: readonly Result[];
}

/** The machine at hand. */
export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    platform: platform(),
    arch: arch(),
  };
}

/**
 * Versions of Node with the flags that open parts of WebAssembly, of V8, of this package and of some packages;
 * `not installed` for what is not there.
 *
 * @param packages names, looked for below `node_modules` of `folder`
 * @param folder a folder with a node_modules; default: the root of this package
 */
export function versionsOf(
  packages: readonly string[],
  folder: URL = new URL('../../', import.meta.url),
): Record<string, string> {
  const own = versionIn(new URL('../../package.json', import.meta.url));
  const others = packages.map((name): [string, string] => [
    name,
    versionIn(new URL(`node_modules/${name}/package.json`, folder)),
  ]);
  const { node, v8 } = process.versions;
  const flags = process.execArgv.filter((flag) => flag.startsWith('--experimental-wasm'));
  return { kernelwright: own, node: [node, ...flags].join(' '), v8, ...Object.fromEntries(others) };
}

function versionIn(file: URL): string {
  if (!existsSync(file)) return 'not installed';
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const isVersioned = typeof content === 'object' && content !== null && 'version' in content;
  return isVersioned && typeof content.version === 'string' ? content.version : 'unknown';
}

/** What was measured on, for a report. */
export type Facts = Omit<BenchmarkReport<unknown>, 'results'>;

/** The facts of a run that begins now. */
export function factsOf(device: string, versions: Readonly<Record<string, string>>): Facts {
  return { date: new Date().toISOString(), machine: thisMachine(), versions, device };
}

/** Writes a report, whole or not at all. */
export async function writeReport(file: string, report: object): Promise<void> {
  await writeFileAtomically(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** The facts in three lines of Markdown. */
export function heading({ date, machine, versions, device }: Facts): string {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const { cpu, cores, memoryGigabytes, platform: system, arch: architecture } = machine;
  return [
    `${date.slice(0, 10)}; ${cpu}, ${cores} cores, ${memoryGigabytes} GB, ${system} ${architecture}`,
    list.join(', '),
    `device: ${device}`,
  ].join('  \n');
}

/** A Markdown table with columns of equal width; all but the first are numbers and stand at the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return markdownTable([header, ...rows], { align: header.map((_, column) => (column === 0 ? '' : 'right')) });
}

/** A number with three significant digits; nothing where there is none. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? figure(value) : '';
}

/** A count a step: whole numbers as they are. */
export function formatCount(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 1 ? 3 : 1);
}
