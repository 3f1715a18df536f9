import type { BenchResult, DeviceReport } from './report-json.js';
import { figure, timeText } from './figures.js';
import type { DeviceName } from './runner.js';

/** Titles and widths of the columns; negative ones are aligned to the left. */
const COLUMNS = [
  ['operation', -33],
  ['shape', -36],
  ['device', -10],
  ['kernel', -24],
  ['median', 10],
  ['± half IQR', 12],
  ['GFLOP/s', 9],
  ['GB/s', 8],
  ['of peak', 8],
] as const;

/** The line above the results. */
export const tableHead = rowOf(COLUMNS.map(([title]) => title));

/** A result as a line of the table. What takes hardly longer than doing nothing is marked. */
export function tableRow(result: BenchResult, floorMilliseconds: number): string {
  const { medianMilliseconds, spread, gflops, gigabytesPerSecond, shareOfPeak } = result;
  const row = rowOf([
    result.operation,
    result.shape,
    result.device,
    kernelName(result),
    timeText(medianMilliseconds),
    `${((spread / 2 / medianMilliseconds) * 100).toFixed(0)} %`,
    result.flop === 0 ? '' : figure(gflops),
    figure(gigabytesPerSecond),
    `${(shareOfPeak * 100).toFixed(0)} %${result.boundBy === 'memory' ? ' m' : ' a'}`,
  ]);
  return medianMilliseconds < 2 * floorMilliseconds ? `${row}  floor` : row;
}

/** Names of kernels, without that of the operation in front of them. */
function kernelName({ operation, kernel }: BenchResult): string {
  const names = kernel.split(' + ');
  return names.map((name) => (name.startsWith(`${operation} `) ? name.slice(operation.length + 1) : name)).join(' + ');
}

/** A device's roofs and floor. */
export function deviceLine(
  name: DeviceName,
  { description, gflops, gigabytesPerSecond, floorMilliseconds }: DeviceReport,
) {
  return (
    `${name}: ${description}\n` +
    `  peaks: ${figure(gflops)} GFLOP/s (multiply-add), ${figure(gigabytesPerSecond)} GB/s (copy); ` +
    `floor: ${timeText(floorMilliseconds)} (${name === 'webgpu' ? 'empty dispatch' : 'empty call'})`
  );
}

/** What the last columns mean. */
export const tableFoot =
  'of peak: share of the lower roof, m: memory (measured copy), a: arithmetic (measured multiply-adds); over 100 % where\n' +
  'the tensors fit into a cache. floor: within twice the time of doing nothing. bench/README.md has more.';

function rowOf(cells: readonly string[]): string {
  return cells
    .map((cell, i) => {
      const width = COLUMNS[i]?.[1] ?? 0;
      return width < 0 ? cell.slice(0, -width - 1).padEnd(-width) : cell.padStart(width);
    })
    .join('')
    .trimEnd();
}
