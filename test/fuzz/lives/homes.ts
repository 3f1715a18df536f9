import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { WebGpuDevice } from '../../../lib/device/webgpu/device.js';
import { openDevice } from '../../../lib/node/open-device.js';
import { fusingCpu } from '../../support/fusing.js';
import type { Home } from './live.js';

/** The CPU: references, alone and fused as for a GPU, and SIMD kernels on two threads. */
export function cpuHomes(): Home[] {
  return [
    { device: new CpuDevice({ reason: 'test' }), code: `new CpuDevice({ reason: 'test' })` },
    { device: fusingCpu(), code: 'fusingCpu() /* test/support/fusing.js */' },
    {
      device: new CpuDevice({ reason: 'test', path: 'simd', threads: 2 }),
      code: `await openDevice('cpu', { threads: 2 })`,
    },
  ];
}

/** The CPU, WebGPU, and a WebGPU device that may be lost, and is another one in the next life then. */
export function webgpuHomes(): () => Promise<Home[]> {
  const cpu = {
    device: new CpuDevice({ reason: 'test', path: 'simd' }),
    code: `await openDevice('cpu', { threads: 1 })`,
  };
  const stays = openWebGpu();
  let goes = openWebGpu();
  const code = `await openDevice('webgpu')`;
  return async () => {
    if ((await goes).isLost) goes = openWebGpu();
    const [device, losable] = [await stays, await goes];
    const lose = async (): Promise<void> => {
      losable.gpu.destroy();
      await losable.gpu.lost;
    };
    return [cpu, { device, code }, { device: losable, code, lose }];
  };
}

/** Places of those of {@link webgpuHomes} that may be lost. */
export const LOSABLE = [2];

async function openWebGpu(): Promise<WebGpuDevice> {
  const device = await openDevice('webgpu');
  if (device instanceof WebGpuDevice) return device;
  throw new Error(`asked for webgpu, got ${device.info.kind}`);
}
