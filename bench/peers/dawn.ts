import { create, globals } from 'webgpu';
import type { Backend } from './protocol.js';

/**
 * Puts WebGPU where libraries made for browsers look for it: its interfaces on globalThis, its GPU object at
 * navigator.gpu. To be called before such a library is loaded.
 */
export function installWebGpu(backend: Backend): void {
  Object.assign(globalThis, globals);
  const gpu = create(backend === 'null' ? ['backend=null'] : []);
  const navigator: object = Reflect.get(globalThis, 'navigator') ?? {
    userAgent: 'Node.js',
    platform: process.platform,
  };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}

/** What the adapter at navigator.gpu calls itself. */
export async function describeAdapter(): Promise<string> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('WebGPU found no adapter on this machine');
  const { description, device, architecture, vendor } = adapter.info;
  return [description, device, architecture, vendor].filter((part) => part !== '').join(', ');
}
