import { arch, cpus, platform, release, totalmem } from 'node:os';
import { canShareMemory, machineThreads } from '../../device/cpu/host.js';
import { hasRelaxedSimd, hasSimd } from '../../device/cpu/simd.js';
import { findAdapter } from '../../device/webgpu/adapter.js';
import { nodeGpu } from '../../node/open-device.js';
import { ownVersion, versionOf } from '../package.js';

/** The packages that change what can be done, or how fast. */
const PACKAGES = ['webgpu', 'sharp', '@jsquash/jpeg', 'pngjs', 'vega', 'vega-lite', '@resvg/resvg-js'];

/** What this machine is. */
export function systemFacts() {
  return {
    kernelwright: ownVersion(),
    node: process.version,
    platform: `${platform()} ${release()}`,
    architecture: arch(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: machineThreads(),
    memoryBytes: totalmem(),
    simd: hasSimd(),
    relaxedSimd: hasRelaxedSimd(),
    sharedMemory: canShareMemory(),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name) ?? null])),
    environment: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('KERNELWRIGHT_'))),
  };
}

/** The WebGPU adapter, or why there is none. */
export async function adapterFacts() {
  const gpu = await nodeGpu();
  if (typeof gpu === 'string') return { found: false, reason: gpu } as const;
  const [adapter, found] = [await gpu.requestAdapter({ powerPreference: 'high-performance' }), await findAdapter(gpu)];
  if (!adapter || !found) return { found: false, reason: 'WebGPU has no adapter here' } as const;
  const limits: Record<string, number> = {};
  // They are getters of the prototype.
  for (const name in adapter.limits) {
    const limit: unknown = Reflect.get(adapter.limits, name);
    if (typeof limit === 'number') limits[name] = limit;
  }
  return {
    found: true,
    description: found.description,
    software: found.software,
    features: [...adapter.features].sort(),
    limits,
  } as const;
}
