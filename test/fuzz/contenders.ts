import { CpuDevice } from '../../lib/device/cpu/device.js';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { openDevice } from '../../lib/node/open-device.js';
import { fusingCpu } from '../support/fusing.js';
import type { Contender } from './functions/campaign.js';

/** The CPU in all its ways: references, alone and fused as for a GPU; SIMD kernels on one thread and on two. */
export function cpuContenders(): Contender[] {
  return [
    { device: new CpuDevice({ reason: 'test' }), code: `new CpuDevice({ reason: 'test' })`, isExact: true },
    { device: fusingCpu(), code: 'fusingCpu() /* test/support/fusing.js */' },
    { device: new CpuDevice({ reason: 'test', path: 'simd' }), code: `await openDevice('cpu', { threads: 1 })` },
    {
      device: new CpuDevice({ reason: 'test', path: 'simd', threads: 2 }),
      code: `await openDevice('cpu', { threads: 2 })`,
    },
  ];
}

/** WebGPU, with the kernels for the adapter at hand and with those for hardware. */
export async function webgpuContenders(): Promise<Contender[]> {
  const [device, other] = [await openDevice('webgpu'), await openDevice('webgpu')];
  if (!(other instanceof WebGpuDevice)) throw new Error(`asked for webgpu, got ${other.info.kind}`);
  const code = `await openDevice('webgpu')`;
  return [
    { device, code },
    { device: new WebGpuDevice(other.gpu, { ...other.info, software: false }), code: `${code} /* as hardware */` },
  ];
}
