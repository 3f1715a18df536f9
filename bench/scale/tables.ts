import { formatNumber, formatTable } from '../step/report.js';
import type { MemorySample } from './endurance.js';
import type { ScalePoint } from './points.js';

/** A row a point. */
export function scaleTable(points: readonly ScalePoint[]): string {
  const header = [
    'grows',
    'batch',
    'hidden',
    'examples',
    'multiply-adds',
    'ms a step',
    'ns a multiply-add',
    'host ms a step',
    'buffers',
    'MB in buffers',
    'process MB',
  ];
  const rows = points.map((point) => [
    point.sweep,
    ...[point.batch, point.hidden, point.examples].map(String),
    formatNumber(point.multiplyAdds),
    formatNumber(point.millisecondsPerStep),
    formatNumber(point.nanosecondsPerMultiplyAdd),
    formatNumber(point.hostMillisecondsPerStep),
    String(point.buffers),
    megabytes(point.bytes),
    megabytes(point.residentBytes),
  ]);
  return formatTable(header, rows);
}

/** A row a sample. */
export function memoryTable(samples: readonly MemorySample[]): string {
  const header = ['step', 'buffers', 'bytes in buffers', 'process MB', 'JavaScript heap MB'];
  const rows = samples.map(({ steps, buffers, bytes, residentBytes, heapBytes }) => [
    ...[steps, buffers, bytes].map(String),
    megabytes(residentBytes),
    megabytes(heapBytes),
  ]);
  return formatTable(header, rows);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
