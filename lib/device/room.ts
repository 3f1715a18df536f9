import { DeviceMemoryError } from '../errors.js';
import type { Device } from './device.js';

/** Throws DeviceMemoryError where a device has no room for so many bytes more: nothing is allocated then. */
export function checkRoom({ memory: { used, limit } }: Pick<Device, 'memory'>, bytes: number, what: string): void {
  if (used + bytes <= limit) return;
  throw new DeviceMemoryError(
    `${what} needs ${formatBytes(bytes)}, and the device has ${formatBytes(Math.max(0, limit - used))} left of ${formatBytes(limit)}`,
  );
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A number of bytes for people: `1.50 GiB`. */
export function formatBytes(bytes: number): string {
  const unit = Math.min(Math.max(0, Math.floor(Math.log2(bytes) / 10)), UNITS.length - 1);
  return unit === 0 ? `${bytes} bytes` : `${(bytes / 2 ** (10 * unit)).toFixed(2)} ${UNITS[unit] ?? ''}`;
}
