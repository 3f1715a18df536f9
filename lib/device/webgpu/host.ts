import type { TuningStore } from './tuning/store.js';

/** What a WebGPU device gets of the platform that it runs on. */
export interface WebGpuHost {
  /** Where the choices of tuning are kept from run to run; default: IndexedDB, where there is one. */
  readonly tuningStore?: TuningStore | undefined;
  /** Is given all that is waited for: the thread may rest until it settles. */
  readonly restUntil?: (settled: Promise<unknown>) => void;
}
