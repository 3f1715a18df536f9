import type { DeviceInfo } from '../device.js';
import { SUBGROUP_MATRIX, subgroupMatricesOf } from './subgroup-matrices.js';
import { WebGpuDevice, type WebGpuDeviceOptions } from './device.js';

/** Adapters that run on the CPU, by what they say of themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software|warp/i;

/** Limits that are asked for as high as the adapter has them: the defaults are those of the weakest phone. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
] as const;

const FEATURES: readonly string[] = ['shader-f16', 'subgroups', 'timestamp-query', SUBGROUP_MATRIX];

/** An adapter that was found, before a device is made of it. */
export interface FoundAdapter {
  readonly description: string;
  readonly software: boolean;
  open(reason: string, options?: WebGpuDeviceOptions): Promise<WebGpuDevice>;
}

/** Asks WebGPU for its best adapter; undefined where there is none. */
export async function findAdapter(gpu: GPU): Promise<FoundAdapter | undefined> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return undefined;
  const { vendor, architecture, device, description } = adapter.info;
  const name = [description, device, architecture, vendor].filter((part) => part !== '');
  const software = SOFTWARE.test(name.join(' ')) || adapter.info.isFallbackAdapter;
  return {
    description: name.join(', ') || 'unnamed adapter',
    software,
    async open(reason, options) {
      const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
      const requiredFeatures = [...adapter.features].filter((feature): feature is GPUFeatureName =>
        FEATURES.includes(feature),
      );
      const opened = await adapter.requestDevice({ requiredLimits, requiredFeatures });
      const info: DeviceInfo = { kind: 'webgpu', description: name.join(', '), threads: null, software, reason };
      return new WebGpuDevice(opened, info, { ...options, subgroupMatrices: subgroupMatricesOf(adapter) });
    },
  };
}
