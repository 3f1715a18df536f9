import type { GpuFamily, KernelTarget } from '../../lib/graph/launch.js';

/**
 * Adapters to print kernels for, as Dawn shows them on Linux, with what a device is opened with (lib/device/webgpu/adapter.ts).
 * `unknown` has what every WebGPU adapter has.
 */
export const TARGETS = {
  unknown: targetOf('unknown', [], 8, 16_384, 256),
  amd: targetOf('amd', ['shader-f16', 'subgroups', 'timestamp-query'], 16, 65_536, 1024),
  intel: targetOf('intel', ['shader-f16', 'subgroups', 'timestamp-query'], 16, 65_536, 1024),
  nvidia: targetOf('nvidia', ['subgroups', 'timestamp-query'], 16, 49_152, 1024), // Dawn refuses shader-f16 there
  software: { ...targetOf('unknown', ['subgroups', 'timestamp-query'], 16, 32_768, 1024), isSoftware: true },
} as const satisfies Record<string, KernelTarget>;

/** A kind of adapter that kernels can be printed for. */
export type TargetName = keyof typeof TARGETS;

function targetOf(
  family: GpuFamily,
  features: readonly string[],
  maxStorageBuffersPerShaderStage: number,
  maxComputeWorkgroupStorageSize: number,
  maxComputeInvocationsPerWorkgroup: number,
): KernelTarget {
  return {
    family,
    isSoftware: false,
    features: new Set(features),
    limits: { maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup },
  };
}
