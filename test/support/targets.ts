import type { GpuFamily, KernelTarget } from '../../lib/graph/launch.js';

/** An adapter with the features named and WebGPU's default limits, for kernels that are looked at and not run. */
export function targetOf(
  isSoftware: boolean,
  features: readonly string[] = [],
  family: GpuFamily = 'unknown',
): KernelTarget {
  return {
    family,
    isSoftware,
    features: new Set(features),
    limits: {
      maxStorageBuffersPerShaderStage: 8,
      maxComputeWorkgroupStorageSize: 16_384,
      maxComputeInvocationsPerWorkgroup: 256,
    },
  };
}
