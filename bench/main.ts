/**
 * Measures the kernels of every operation:
 *
 *     npm run bench -- [OPERATION or SHAPE ...] [--device NAME] [--variant NAME] [--json FILE] [--roofline FILE]
 *
 * Each result is compared with the operation's reference before it is timed. bench/README.md says how to read it.
 */
import { runProgram } from '../lib/command-line/arguments.js';
import { KernelwrightError } from '../lib/errors.js';
import type { Cost } from '../lib/graph/operation.js';
import { writeFileAtomically } from '../lib/node/write-file.js';
import { caseInputs } from '../test/support/cases.js';
import { type Check, checkOf } from './check.js';
import { costOf } from './cost.js';
import { CpuRunner } from './cpu-runner.js';
import type { Entry } from './entry.js';
import { measure } from './measure.js';
import { readOptions } from './options.js';
import { type BenchResult, deviceReport, type DeviceReport, reportOf } from './report-json.js';
import { type DeviceName, type Job, type Peaks, perSecond, type Runner } from './runner.js';
import { entries } from './shapes.js';
import { writeReport } from './step/report.js';
import { deviceLine, tableFoot, tableHead, tableRow } from './table.js';
import { WebGpuRunner } from './webgpu-runner.js';

/** What takes more flop than this is left out on software adapters, and on the reference, unless it is asked for. */
const LARGE_FLOP = 2 ** 33;

/** A device that was opened, and what it can do at best. */
interface Bench {
  readonly runner: Runner;
  readonly peaks: Peaks;
}

/** Exit code: 1 where a result was wrong or a kernel was refused. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args, entries);
  if (typeof options === 'string') {
    console.log(options);
    return 0;
  }
  const device: Partial<Record<DeviceName, DeviceReport>> = {};
  const benches: Bench[] = [];
  for (const name of options.devices) {
    const runner = name === 'webgpu' ? await WebGpuRunner.open() : new CpuRunner(name, options.threads);
    const peaks = await runner.peaks();
    const report = deviceReport(runner, peaks);
    device[name] = report;
    benches.push({ runner, peaks });
    console.log(deviceLine(name, report));
  }

  const results: BenchResult[] = [];
  const variants = options.variants.length > 0 ? options.variants : [undefined];
  let failures = 0;
  console.log(`\n${tableHead}`);
  for (const entry of options.entries) {
    const cost = costOf(entry);
    const isLarge = cost.flop > LARGE_FLOP;
    const willRun = benches.filter(
      ({ runner }) => (runner.fuses || !entry.isFused) && (options.isSelected || !(isLarge && runner.isSlow)),
    );
    if (willRun.length === 0) continue;
    const values = await Promise.all(caseInputs(entry).map((input) => input.data()));
    const check = checkOf(entry, values, cost);
    for (const bench of willRun) {
      for (const variant of variants) {
        if (variant && !bench.runner.offers(entry, variant)) continue;
        const result = await resultOf(bench, entry, variant, { values, cost, check });
        if (typeof result === 'string') {
          failures++;
          console.log(`${entry.operation.name} ${entry.name} on ${bench.runner.name} FAILED: ${result}`);
        } else {
          results.push(result);
          console.log(tableRow(result, bench.peaks.floorMilliseconds));
        }
      }
    }
  }
  for (const { runner } of benches) runner.dispose();
  console.log(tableFoot);
  if (failures > 0) console.log(`${failures} of ${failures + results.length} gave wrong results or were refused`);

  const report = reportOf(device, results);
  if (options.json !== undefined) await writeReport(options.json, report);
  if (options.roofline !== undefined) {
    const { drawRoofline } = await import('./roofline.js'); // vega takes a second to load
    await writeFileAtomically(options.roofline, await drawRoofline(report));
  }
  return failures > 0 ? 1 : 0;
}

interface Prepared {
  readonly values: Parameters<Runner['prepare']>[1];
  readonly cost: Cost;
  readonly check: Check;
}

/** Checks and times one benchmark on one device; what is wrong in words where it is not right. */
async function resultOf(
  { runner, peaks }: Bench,
  entry: Entry,
  variant: string | undefined,
  { values, cost, check }: Prepared,
): Promise<BenchResult | string> {
  let job: Job;
  try {
    job = await runner.prepare(entry, values, variant);
  } catch (error) {
    if (error instanceof KernelwrightError) return error.message;
    throw error;
  }
  try {
    await job.run(1);
    const wrong = check(await job.outputs());
    if (wrong !== undefined) return wrong;
    const timing = await measure(job.run);
    const gflops = perSecond(cost.flop, timing.medianMilliseconds);
    const gigabytesPerSecond = perSecond(cost.bytes, timing.medianMilliseconds);
    const shares = { arithmetic: gflops / peaks.gflops, memory: gigabytesPerSecond / peaks.gigabytesPerSecond };
    return {
      library: 'kernelwright',
      device: runner.name,
      threads: runner.threads,
      operation: entry.operation.name,
      shape: entry.name,
      inputs: entry.inputs.map(({ shape }) => shape),
      variant: variant ?? 'default',
      kernel: job.kernel,
      ...timing,
      flop: cost.flop,
      bytes: cost.bytes,
      gflops,
      gigabytesPerSecond,
      shareOfPeak: Math.max(shares.arithmetic, shares.memory),
      boundBy: shares.arithmetic > shares.memory ? 'arithmetic' : 'memory',
    };
  } finally {
    job.dispose();
  }
}

await runProgram('bench', main);
