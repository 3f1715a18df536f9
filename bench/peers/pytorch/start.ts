import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NET_CLASSES } from '../../nets/description.js';
import { NET_BATCHES, NET_LEARNING_RATE, NET_MOMENTUM } from '../../nets/workload.js';
import { BATCH, BATCHES, CLASSES, HIDDEN, INPUTS, LEARNING_RATE, MOMENTUM } from '../../step/workload.js';

const script = fileURLToPath(new URL('peer.py', import.meta.url));

/** What peer.py is told first. */
export const PYTORCH_WORKLOAD = {
  mynet: {
    batch: BATCH,
    batches: BATCHES,
    inputs: INPUTS,
    hidden: HIDDEN,
    classes: CLASSES,
    learningRate: LEARNING_RATE,
    momentum: MOMENTUM,
  },
  net: { batches: NET_BATCHES, classes: NET_CLASSES, learningRate: NET_LEARNING_RATE, momentum: NET_MOMENTUM },
} as const;

let python: string | undefined;

/**
 * Starts PyTorch on so many threads: OpenBLAS goes by the environment, the rest by what the script sets. Throws where no
 * Python has it, saying how to install it.
 */
export function startPyTorch(threads: number): ChildProcess {
  python ??= findPython();
  const count = String(threads);
  return spawn(python, [script, count], {
    env: { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function findPython(): string {
  const candidates = [process.env['KERNELWRIGHT_PYTHON'], 'python3', '/usr/bin/python3'].filter(
    (path) => path !== undefined,
  );
  const found = candidates.find((path) => spawnSync(path, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0);
  if (found !== undefined) return found;
  throw new Error(
    `no PyTorch in ${candidates.join(', ')} (Debian: apt install python3-torch libopenblas0-pthread; or name a Python ` +
      'that has it: KERNELWRIGHT_PYTHON)',
  );
}
