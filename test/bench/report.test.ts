import test from 'tape';
import { readResults } from '../../bench/comparison.js';
import { type BenchResult, reportOf } from '../../bench/report-json.js';
import { drawRoofline } from '../../bench/roofline.js';
import { tableRow } from '../../bench/table.js';

const device = {
  cpu: { description: 'a CPU', software: false, gflops: 40, gigabytesPerSecond: 20, floorMilliseconds: 1e-6 },
};

const result: BenchResult = {
  library: 'kernelwright',
  device: 'cpu',
  threads: 1,
  operation: 'matmul',
  shape: 'cube512',
  inputs: [
    [512, 512],
    [512, 512],
  ],
  variant: 'default',
  kernel: 'simd',
  medianMilliseconds: 10,
  fastestMilliseconds: 9.5,
  spread: 0.4,
  runs: 9,
  repeats: 1,
  flop: 2 * 512 ** 3,
  bytes: 3 * 4 * 512 ** 2,
  gflops: 26.8,
  gigabytesPerSecond: 0.31,
  shareOfPeak: 0.67,
  boundBy: 'arithmetic',
};

test('a report has machine, versions, device and results, and bench:compare reads it', (t) => {
  const report = reportOf(device, [result]);
  const stored: unknown = JSON.parse(JSON.stringify(report));
  t.deepEqual(stored, { ...report }, 'nothing is lost in JSON');
  t.deepEqual(Object.keys(report), ['date', 'machine', 'versions', 'device', 'results']);
  t.ok(report.machine.cores > 0 && report.machine.cpu !== '');
  t.match(report.versions['kernelwright'] ?? '', /^\d+\.\d+\.\d+/);
  t.deepEqual(readResults('report.json', JSON.stringify(report)), [result]);
  t.end();
});

test('a row of the table has time, rate and share, and says where the floor is near', (t) => {
  const row = tableRow(result, 1e-6);
  for (const part of ['cube512', '10.0 ms', '2 %', '26.8', '67 % a']) t.ok(row.includes(part), part);
  t.notOk(row.endsWith('floor'));
  t.ok(tableRow(result, 6).endsWith('floor'));
  t.end();
});

test('the roofline picture is an SVG that names every benchmark with flop, the roofs and the units', async (t) => {
  const moved: BenchResult = { ...result, operation: 'transpose', shape: 'square', flop: 0, gflops: 0 };
  const chain: BenchResult = { ...result, operation: 'matmul + add', shape: 'mynetFc1Forward' };
  const svg = await drawRoofline(reportOf(device, [result, moved, chain]));
  t.ok(svg.startsWith('<svg') && svg.endsWith('</svg>'));
  for (const part of ['cube512', '40.0 GFLOP/s', '20.0 GB/s', 'arithmetic intensity (flop/B)', 'matmul', 'fused']) {
    t.ok(svg.includes(part), part);
  }
  t.notOk(svg.includes('square'), 'a data mover has no place in it');
});
