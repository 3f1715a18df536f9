import type { Device } from '../device/device.js';
import { DeviceMemoryError } from '../errors.js';
import type { PreparedPlan } from '../plan.js';
import { checkRoomForPlans } from '../plan-memory.js';

/** What goes through data in batches: its plans are known before any of them is loaded. */
export interface Batched {
  /** The plans, all of which are there at the same time. Throws DeviceMemoryError for a tensor over a limit of the device. */
  prepare(): readonly PreparedPlan[];
  dispose(): void;
}

/**
 * Throws DeviceMemoryError, naming the batch that would fit, where the device has no room for what goes through data in
 * batches. Nothing is allocated for that.
 *
 * @param what how the message calls it: `fit`
 * @param inBatchesOf the same with another size of batch
 */
export function checkBatchRoom(
  what: string,
  device: Device,
  batched: Batched,
  batchSize: number,
  inBatchesOf: (size: number) => Batched,
): void {
  const refused = refusal(what, device, batched, batchSize);
  if (!refused) return;
  let [fits, tooLarge] = [0, batchSize];
  while (tooLarge - fits > 1) {
    const size = (fits + tooLarge) >> 1;
    const other = inBatchesOf(size);
    if (refusal(what, device, other, size)) tooLarge = size;
    else fits = size;
    other.dispose();
  }
  const advice = fits === 0 ? 'not even a batch of 1 fits' : `a batch of ${fits} would fit (batchSize: ${fits})`;
  throw new DeviceMemoryError(`${refused.message}: ${advice}`);
}

function refusal(what: string, device: Device, batched: Batched, size: number): DeviceMemoryError | undefined {
  try {
    checkRoomForPlans(device, batched.prepare(), `${what}: a batch of ${size}`);
    return undefined;
  } catch (error) {
    if (error instanceof DeviceMemoryError) return error;
    throw error;
  }
}
