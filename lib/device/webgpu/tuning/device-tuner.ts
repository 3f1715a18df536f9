import type { WebGpuDevice } from '../device.js';
import { indexedDbStore } from './indexed-db-store.js';
import { adapterKey } from './key.js';
import type { TuningStore } from './store.js';
import { trialsOf } from './trials.js';
import { Tuner } from './tuner.js';

/** The tuner of a device, whose choices are kept in IndexedDB, where there is one, if the host keeps them nowhere else. */
export function deviceTuner(device: WebGpuDevice, store: TuningStore | undefined = indexedDbStore()): Tuner {
  const { target, info, gpu } = device;
  return new Tuner({
    target,
    adapter: adapterKey({ ...target, description: info.description, limits: gpu.limits }),
    store,
    trialsOf: (step) => trialsOf(device, step),
  });
}
