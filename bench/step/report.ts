import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';

/** The machine that a benchmark ran on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
}

/** What `--json` writes. */
export interface BenchmarkReport<Result> {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** The WebGPU adapter, or what was in place of one. */
  readonly device: string;
  readonly results: readonly Result[];
}

/** The machine at hand. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
  };
}

/**
 * Versions of Node, of this package and of some packages.
 *
 * @param packages names, looked for below `node_modules` of `folder`
 * @param folder a folder with a node_modules; default: the root of this package
 */
export function versionsOf(
  packages: readonly string[],
  folder: URL = new URL('../../', import.meta.url),
): Record<string, string> {
  const own = versionIn(new URL('../../package.json', import.meta.url));
  const others = packages.map((name) => [name, versionIn(new URL(`node_modules/${name}/package.json`, folder))]);
  return { node: process.versions.node, kernelwright: own, ...Object.fromEntries(others) };
}

function versionIn(file: URL): string {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const isVersioned = typeof content === 'object' && content !== null && 'version' in content;
  return isVersioned && typeof content.version === 'string' ? content.version : 'unknown';
}

/** Writes a report for `bench:compare` and for people. */
export async function writeReport<Result>(file: string, report: BenchmarkReport<Result>): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Machine and versions in two lines. */
export function heading({ machine, versions, device }: Omit<BenchmarkReport<unknown>, 'results'>): string {
  const { cpu, cores, memoryGiB, system } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; adapter: ${device}`, list.join(', ')].join('\n');
}

/** A Markdown table with columns of equal width; all but the first are numbers and stand at the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0), 3));
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** A number with three significant digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A count a step: whole numbers as they are. */
export function formatCount(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 1 ? 3 : 1);
}
