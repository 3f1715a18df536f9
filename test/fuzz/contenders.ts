import { CpuDevice } from '../../lib/device/cpu/device.js';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { openDevice } from '../../lib/node/open-device.js';
import { fusingCpu } from '../support/fusing.js';
import type { Contender } from './functions/campaign.js';

const references = new CpuDevice({ reason: 'test' });
const REFERENCES_CODE = `new CpuDevice({ reason: 'test' })`;

/** The CPU in all its ways: references, alone and fused as for a GPU; SIMD kernels on one thread and on two; two devices. */
export function cpuContenders(): [Contender, ...Contender[]] {
  const simd = new CpuDevice({ reason: 'test', path: 'simd' });
  const threads = new CpuDevice({ reason: 'test', path: 'simd', threads: 2 });
  const code = (count: number): string => `await openDevice('cpu', { threads: ${count} })`;
  return [
    { devices: [references], code: [REFERENCES_CODE], isExact: true },
    { devices: [fusingCpu()], code: ['fusingCpu() /* test/support/fusing.js */'] },
    { devices: [simd], code: [code(1)] },
    { devices: [threads], code: [code(2)] },
    { devices: [threads, references], code: [code(2), REFERENCES_CODE] },
  ];
}

/** WebGPU, with the kernels for the adapter at hand and with those for hardware, and in turn with the CPU. */
export async function webgpuContenders(): Promise<[Contender, ...Contender[]]> {
  const [device, other] = [await openDevice('webgpu'), await openDevice('webgpu')];
  if (!(other instanceof WebGpuDevice)) throw new Error(`asked for webgpu, got ${other.info.kind}`);
  const code = `await openDevice('webgpu')`;
  const hardware = new WebGpuDevice(other.gpu, { ...other.info, software: false });
  return [
    { devices: [device], code: [code] },
    { devices: [hardware], code: [`${code} /* as hardware */`] },
    { devices: [device, references], code: [code, REFERENCES_CODE] },
  ];
}
