/**
 * The process of one library: `worker.ts NAME BACKEND`, with a channel to its parent. Each library has a process of its
 * own, because they put different things on globalThis.
 */
import process from 'node:process';
import { countCalls, countsPerStep } from '../host/call-counts.js';
import { millisecondsOf } from '../step/rounds.js';
import { installWebGpu } from './dawn.js';
import {
  type Answers,
  type Backend,
  CONTESTANTS,
  type ContestantId,
  type Library,
  type Reply,
  type Request,
} from './protocol.js';

const [name, backend] = process.argv.slice(2);
const contestant = CONTESTANTS.find((one) => one.name === name);
if (!contestant || (backend !== 'null' && backend !== 'adapter')) throw new Error(`unknown: ${name} ${backend}`);

const interfaces =
  contestant.library === 'kernelwright' ? (await import('../host/null-device.js')).interfaces : globalThis;
const library = await open(contestant, backend).catch((error: unknown) => {
  send({ error: messageOf(error) });
  process.exit(1);
});
process.on('message', (request: Request) => {
  answer(library, request).then(
    (value) => send({ answer: value }),
    (error: unknown) => send({ error: messageOf(error) }),
  );
});
send({ answer: undefined });

async function open({ library: wanted, device, threads }: ContestantId, on: Backend): Promise<Library> {
  if (wanted === 'kernelwright') return (await import('./ours/library.js')).openOurs(device, on, threads ?? 1);
  if (device === 'webgpu') installWebGpu(on);
  if (wanted === 'jax-js') return (await import('./jax/library.js')).openJax(device);
  if (wanted === 'pytorch') throw new Error('PyTorch has a process of its own kind, pytorch/peer.py');
  return (await import('./tfjs/library.js')).openTensorFlow(device);
}

async function answer(on: Library, request: Request): Promise<Answers[keyof Answers]> {
  switch (request.ask) {
    case 'describe':
      return on.description;
    case 'losses':
      return on.losses(request.steps);
    case 'prepare':
      await on.prepare(request.training);
      return undefined;
    case 'train':
      return millisecondsOf(() => on.train(request.steps, request.readEvery));
    case 'count': {
      const { steps } = request;
      return countsPerStep(await countCalls(interfaces, () => on.train(steps, steps + 1)), steps);
    }
    case 'compute':
      return millisecondsOf(() => on.compute(request.computation, request.times));
    case 'elements':
      return on.elements(request.computation, request.places);
  }
}

function send(reply: Reply): void {
  process.send?.(reply);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
