import type { Device } from '../device/device.js';
import { DeviceMemoryError } from '../errors.js';
import type { PreparedPlan } from '../plan.js';
import { bytesForPlans, checkRoomForPlans } from '../plan-memory.js';

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
  const { used, limit } = device.memory;
  const bytesOf = (size: number): number => {
    const other = inBatchesOf(size);
    try {
      return bytesForPlans(device, other.prepare()).all;
    } catch (error) {
      if (error instanceof DeviceMemoryError) return Infinity;
      throw error;
    } finally {
      other.dispose();
    }
  };
  const fits = largestWithin(limit - used, batchSize, bytesOf);
  const advice = fits === 0 ? 'not even a batch of 1 fits' : `a batch of ${fits} would fit (batchSize: ${fits})`;
  throw new DeviceMemoryError(`${refused.message}: ${advice}`);
}

/**
 * The largest size below one that is too large whose bytes are within a limit; 0 where there is none. Bytes grow about as the
 * size does, so that few are asked for.
 */
function largestWithin(limit: number, tooLarge: number, bytesOf: (size: number) => number): number {
  let [low, high] = [
    { size: 0, bytes: 0 },
    { size: tooLarge, bytes: Infinity },
  ];
  for (let guess = 1; high.size - low.size > 1;) {
    const bytes = bytesOf(guess);
    if (bytes <= limit && bytes < Infinity) low = { size: guess, bytes };
    else high = { size: guess, bytes };
    const share = Number.isFinite(high.bytes) ? (limit - low.bytes) / (high.bytes - low.bytes) : 0.5;
    const between = low.size + Math.floor(share * (high.size - low.size));
    guess = Math.min(Math.max(between, low.size + 1), high.size - 1);
  }
  return low.size;
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
