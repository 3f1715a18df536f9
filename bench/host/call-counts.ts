/** What is counted, under the names that reports use. */
export type CallName =
  | 'dispatches'
  | 'computePasses'
  | 'submits'
  | 'buffersCreated'
  | 'bindGroupsCreated'
  | 'pipelinesCreated'
  | 'writeBuffers';

/** Calls of WebGPU, by name. */
export type CallCounts = Readonly<Record<CallName, number>>;

/** The methods behind each name, as `Interface.method`. */
const METHODS: Readonly<Record<CallName, readonly `${string}.${string}`[]>> = {
  dispatches: ['GPUComputePassEncoder.dispatchWorkgroups', 'GPUComputePassEncoder.dispatchWorkgroupsIndirect'],
  computePasses: ['GPUCommandEncoder.beginComputePass'],
  submits: ['GPUQueue.submit'],
  buffersCreated: ['GPUDevice.createBuffer'],
  bindGroupsCreated: ['GPUDevice.createBindGroup'],
  pipelinesCreated: ['GPUDevice.createComputePipeline', 'GPUDevice.createComputePipelineAsync'],
  writeBuffers: ['GPUQueue.writeBuffer'],
};

/** The names in the order of tables. */
export const CALL_NAMES = [
  'dispatches',
  'computePasses',
  'submits',
  'buffersCreated',
  'bindGroupsCreated',
  'pipelinesCreated',
  'writeBuffers',
] as const satisfies readonly CallName[];

/**
 * Counts the WebGPU calls that anything in this process makes while `work` runs. It wraps the prototypes of the WebGPU
 * interfaces and puts them back, so that what is timed before or after is not slowed down.
 *
 * @param interfaces the objects `GPUDevice`, `GPUQueue` and so on: the export `globals` of package `webgpu`, or globalThis
 */
export async function countCalls(interfaces: object, work: () => void | Promise<void>): Promise<CallCounts> {
  const counts: Record<CallName, number> = zeroCounts();
  const restore: (() => void)[] = [];
  try {
    for (const name of CALL_NAMES) {
      for (const path of METHODS[name]) {
        const unwrap = wrapMethod(interfaces, path, () => {
          counts[name]++;
        });
        restore.push(unwrap);
      }
    }
    await work();
  } finally {
    for (const unwrap of restore) unwrap();
  }
  return counts;
}

/** The same counts divided: of so many steps, those of one. */
export function countsPerStep(counts: CallCounts, steps: number): CallCounts {
  return mapCounts((name) => counts[name] / steps);
}

/** The calls of `more` that are not those of `less`. */
export function subtractCounts(more: CallCounts, less: CallCounts): CallCounts {
  return mapCounts((name) => more[name] - less[name]);
}

function mapCounts(value: (name: CallName) => number): CallCounts {
  const counts = zeroCounts();
  for (const name of CALL_NAMES) counts[name] = value(name);
  return counts;
}

function zeroCounts(): Record<CallName, number> {
  return {
    dispatches: 0,
    computePasses: 0,
    submits: 0,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    pipelinesCreated: 0,
    writeBuffers: 0,
  };
}

/** Calls `before` whenever a method is called; returns what undoes it. */
function wrapMethod(interfaces: object, path: string, before: () => void): () => void {
  const [interfaceName = '', methodName = ''] = path.split('.');
  const prototype = prototypeOf(interfaces, interfaceName);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, methodName);
  const method: unknown = descriptor?.value;
  if (!descriptor || typeof method !== 'function') throw new Error(`WebGPU has no method ${path} here`);
  function counted(this: unknown, ...parameters: unknown[]): unknown {
    before();
    return Reflect.apply(method as (...values: unknown[]) => unknown, this, parameters);
  }
  Object.defineProperty(prototype, methodName, { ...descriptor, value: counted });
  return () => void Object.defineProperty(prototype, methodName, descriptor);
}

function prototypeOf(interfaces: object, name: string): object {
  const found: unknown = Reflect.get(interfaces, name);
  const prototype: unknown = typeof found === 'function' ? found.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null) throw new Error(`there is no WebGPU interface ${name} here`);
  return prototype;
}
