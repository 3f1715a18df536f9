import { type Device, deviceRule } from './device/device.js';
import type { TuningReport } from './device/tuning-report.js';
import { checkArgument, type OptionRule } from './options.js';
import { Plan } from './plan.js';

const loadedRule: OptionRule = {
  expected: 'compiled functions or plans',
  accepts: (value) => value instanceof Plan || (typeof value === 'function' && 'plans' in value),
};

/**
 * Makes a device choose its kernels by measuring. From now on, each operation of a plan that is built on the device, and
 * that has several kernels to choose from (so far matrix products, fused or not), gets the one that is fastest for its
 * sizes. The first time that takes seconds: every candidate is compared with the reference on random data, of large products
 * with a sample, and those that have a chance are timed in rounds. Of one that would take over 100 ms only the first
 * workgroups are executed, which stand for it: nothing keeps the GPU busy for long.
 * What was found is remembered, in Node in a file of the user's cache folder and in a browser in IndexedDB, so that later
 * runs on the same adapter look it up. Without tuning, kernels are chosen by a table.
 *
 * ```ts
 * const device = await openDevice('webgpu');
 * await tune(device); // before the plans are built, or:
 * const report = await tune(device, step); // what a compiled function has built is tuned and loaded anew
 * ```
 *
 * A kernel that is wrong on this adapter, or refused, is never used and is named in the report's warnings. In Node the
 * environment variable KERNELWRIGHT_TUNE=1 does the same for every device that is opened. A CPU device has nothing to
 * choose; its report is empty.
 *
 * @param device where to compute from now on
 * @param loaded compiled functions or plans that were built on this device before; results of theirs that have not been
 *   read yet cannot be read afterwards
 * @returns all that was chosen on this device so far: what was tried, how long it took and how far that spread, and what was
 *   taken
 */
export async function tune(
  device: Device,
  ...loaded: readonly (Plan | { plans(): readonly Plan[] })[]
): Promise<TuningReport> {
  checkArgument('tune', 'the device', device, deviceRule);
  for (const each of loaded) checkArgument('tune', 'what follows the device', each, loadedRule);
  const tuner = await device.enableTuning();
  if (!tuner) return { choices: [], warnings: [] };
  for (const each of loaded) {
    for (const plan of 'plans' in each ? each.plans() : [each]) await plan.reload();
  }
  return tuner.report;
}
