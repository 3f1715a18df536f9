import { spawn } from 'node:child_process';
import test from 'tape';
import { myNetStep } from '../../../bench/step/mynet-step.js';
import { makeWorkload } from '../../../bench/step/workload.js';
import { compile } from '../../../lib/compile.js';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { DeviceError } from '../../../lib/errors.js';
import { gradient } from '../../../lib/graph/gradient.js';
import { matmul } from '../../../lib/ops/matmul/matmul.js';
import { batchNorm } from '../../../lib/ops/normalize/batch-norm.js';
import { RandomStream } from '../../../lib/random.js';
import { tensor } from '../../../lib/tensor.js';
import { refuses } from '../../support/errors.js';
import { distinct, probeOn, THREAD_PROBE } from '../../support/thread-probe.js';
import { loadAssembler } from '../../../tools/inline-kernels.js';
import { root } from '../../../tools/root.js';

const open = (threads: number): CpuDevice => new CpuDevice({ reason: 'test', path: 'simd', threads });

test('a device says how many threads it has', (t) => {
  const threads = [1, 2, 3].map((count) => open(count).info);
  t.deepEqual(
    threads.map((info) => [info.threads, info.description]),
    [
      [1, 'CPU, WebAssembly SIMD, 1 thread'],
      [2, 'CPU, WebAssembly SIMD, 2 threads'],
      [3, 'CPU, WebAssembly SIMD, 3 threads'],
    ],
  );
  t.equal(new CpuDevice({ reason: 'test', threads: 2 }).info.threads, 1, 'the reference has one');
  t.end();
});

for (const [name, a, b] of [
  ['a square', [300, 300], [300, 300]],
  ['a batch', [9, 64, 130], [130, 65]],
  ['a vector', [1, 515], [515, 5000]],
] as const) {
  test(`${name} is the same, bit for bit, with 1, 2 and 3 threads`, async (t) => {
    const random = new RandomStream(3, name);
    const fill = (shape: readonly number[]) =>
      tensor(random.normal(shape.reduce((size, axis) => size * axis, 1)), { shape });
    const [left, right] = [fill(a), fill(b)];
    const results: unknown[] = [];
    for (const threads of [1, 2, 3]) {
      const device = open(threads);
      const product = compile((x) => matmul(x, right), { device });
      // More than once: the workers are not up the first time.
      for (let turn = 0; turn < 5; turn++) results.push(await (await product(left)).data());
      device.dispose();
    }
    for (const result of results) t.deepEqual(result, results[0]);
  });
}

test('batch normalization and its gradients are the same, bit for bit, with 1, 2 and 3 threads', async (t) => {
  const random = new RandomStream(3, 'batch');
  const [x, dy] = [random.normal(5000 * 33), random.normal(5000 * 33)].map((values) =>
    tensor(values, { shape: [5000, 33] }),
  );
  const results: unknown[][] = [];
  for (const threads of [1, 2, 3]) {
    const device = open(threads);
    const step = compile(
      (input, upstream) => {
        const output = batchNorm(input, { training: true });
        return [output, ...gradient(output, [input], upstream)];
      },
      { device },
    );
    for (let turn = 0; turn < 5; turn++) {
      const outputs = x && dy ? await step(x, dy) : [];
      results.push(await Promise.all(outputs.map((output) => output.data())));
    }
    device.dispose();
  }
  for (const result of results) t.deepEqual(result, results[0]);
});

test('training MyNet gives the same losses and weights, bit for bit, with 1, 2 and 3 threads', async (t) => {
  const losses: number[][] = [];
  for (const threads of [1, 2, 3]) {
    const device = open(threads);
    const step = myNetStep(device, makeWorkload(), 0.5);
    losses.push(await step.losses(20));
    step.dispose();
    device.dispose();
  }
  t.deepEqual(losses[1], losses[0]);
  t.deepEqual(losses[2], losses[0]);
});

const assembled = loadAssembler().then((assemble) => assemble('probe.wat', THREAD_PROBE));

/** Asks again until the answer will do: it takes the workers some milliseconds to be up. */
async function until<T>(ask: () => Promise<T>, isEnough: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (isEnough(value)) return value;
  }
}

test('all threads work at the tasks of a phase, each in scratch memory of its own', async (t) => {
  const device = open(3);
  const probe = probeOn(device, await assembled);
  const scratch = await until(
    async () => distinct(await probe(0)),
    (found) => found.length === 3,
  );
  const [main = 0] = scratch;
  t.deepEqual(scratch, [main, main + 128, main + 256]);
  device.dispose();
  t.deepEqual(distinct(await probe(0)), [main], 'after dispose() the main thread works alone');
});

test('a kernel that fails, on the main thread or on a worker, throws there where it was called', async (t) => {
  const device = open(2);
  const probe = probeOn(device, await assembled);
  const bothWork = () =>
    until(
      async () => distinct(await probe(0)),
      (found) => found.length === 2,
    );
  const [main = 0, worker = 0] = await bothWork();
  const failure = (only: number) =>
    until(
      () =>
        probe(only)
          .then(() => undefined)
          .catch((error: unknown) => error),
      (error) => error !== undefined,
    );
  const onWorker = await failure(main);
  t.ok(onWorker instanceof DeviceError, String(onWorker));
  const onMain = await failure(worker);
  t.ok(onMain instanceof WebAssembly.RuntimeError, String(onMain));
  t.deepEqual(await bothWork(), [main, worker], 'the device goes on, with both threads');
  device.dispose();
});

test('a worker that ends inside a task makes the call throw at once, and the device goes on', async (t) => {
  const threads = process.getBuiltinModule('worker_threads');
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(program: string, options: object) {
      super(program, { ...options, resourceLimits: { maxOldGenerationSizeMb: 16 } });
    }
  };
  const device = open(2);
  try {
    const { record } = await device.simd.get({ module: await assembled, entryPoint: 'probe' });
    const probe = probeOn(device, await assembled);
    await until(
      async () => distinct(await probe(0)),
      (found) => found.length === 2,
    );
    // Two tasks for the worker, each a call with a billion arguments, which is more than its memory holds.
    const table = device.allocate({ shape: [14], dtype: 'u32' }).start;
    new Float64Array(device.heap.memory.buffer, table, 6).set([2, 2, 1, record, 0, 1e9]);
    // The worker ends while the main thread is at work, before that asks for the first time whether it is gone.
    const wait = (): void => {
      for (const end = performance.now() + 1000; performance.now() < end;);
    };
    const start = performance.now();
    const call = (task: () => void) => device.pool.run({ tasks: [task, task], table, scratchStride: 0 });
    refuses(t, () => call(wait), DeviceError, 'a worker thread ended inside a task');
    t.ok(performance.now() - start < 10_000, 'it does not wait for a minute');
    call(() => undefined);
    t.equal(device.info.threads, 1);
    const product = compile((x) => matmul(x, x), { device });
    t.deepEqual(await (await product([[3]])).data(), Float32Array.of(9));
  } finally {
    threads.Worker = Worker;
    device.dispose();
  }
});

test('workers see memory that was added after they had started', async (t) => {
  const device = open(2);
  const isShared = async (probe: (only: number) => Promise<number[]>) => distinct(await probe(0)).length === 2;
  const first = probeOn(device, await assembled);
  await until(() => isShared(first), Boolean);
  const large = device.allocate({ shape: [40_000_000], dtype: 'f32' });
  const second = probeOn(device, await assembled);
  await until(() => isShared(second), Boolean);
  t.pass('and the tasks that are described there');
  large.dispose();
  device.dispose();
});

for (const disposes of [true, false]) {
  test(`a program with worker threads ends by itself, ${disposes ? 'with' : 'without'} dispose()`, async (t) => {
    const program = `
      import { openDevice } from ${JSON.stringify(`${root}lib/node/index.ts`)};
      import { compile, matmul } from ${JSON.stringify(`${root}lib/index.ts`)};
      const device = await openDevice('cpu', { threads: 3 });
      const f = compile((x) => matmul(x, x), { device });
      const x = Array.from({ length: 300 }, () => new Array(300).fill(1));
      for (let i = 0; i < 50; i++) await f(x);
      console.log((await (await f(x)).data())[0]);
      ${disposes ? 'device.dispose();' : ''}
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const tooLate = setTimeout(() => child.kill('SIGKILL'), 120_000);
    const code = await new Promise((resolve) => child.on('exit', (status, signal) => resolve(signal ?? status)));
    clearTimeout(tooLate);
    t.deepEqual([output.trim(), code], ['300', 0]);
  });
}
