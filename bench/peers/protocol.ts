import type { CallCounts } from '../host/call-counts.js';
import type { NetDescription } from '../nets/description.js';
import type { Convolution, Pass } from './convolutions.js';

/** A library on one of its devices. `threads` that compute: null where the adapter decides. */
export const CONTESTANTS = [
  { name: 'kernelwright cpu', library: 'kernelwright', device: 'cpu', threads: 1 },
  { name: 'kernelwright cpu, 2 threads', library: 'kernelwright', device: 'cpu', threads: 2 },
  { name: 'kernelwright webgpu', library: 'kernelwright', device: 'webgpu', threads: null },
  { name: 'jax-js wasm', library: 'jax-js', device: 'wasm', threads: 1 },
  { name: 'jax-js webgpu', library: 'jax-js', device: 'webgpu', threads: null },
  { name: 'tfjs-wasm', library: 'tfjs-wasm', device: 'wasm', threads: 1 },
  { name: 'tfjs-webgpu', library: 'tfjs-webgpu', device: 'webgpu', threads: null },
  { name: 'tfjs-cpu', library: 'tfjs-cpu', device: 'cpu', threads: 1 },
  { name: 'pytorch', library: 'pytorch', device: 'cpu', threads: 1 },
  { name: 'pytorch 2 threads', library: 'pytorch', device: 'cpu', threads: 2 },
] as const;

/** One of {@link CONTESTANTS}. */
export type ContestantId = (typeof CONTESTANTS)[number];

/** Dawn's null backend, or the adapter of the machine. */
export type Backend = 'null' | 'adapter';

/** A computation that is timed by itself, of tensors that every library makes by the same rule. */
export type Computation =
  | { readonly compute: 'product'; readonly size: number }
  | { readonly compute: 'convolution'; readonly convolution: Convolution; readonly pass: Pass };

/** A training step that is timed: MyNet's with dropout of so much, or that of a convolutional net. */
export type Training = { readonly dropout: number } | { readonly net: NetDescription };

/** What a library can be asked to do. Everything ends only when the device has done it. */
export interface Library {
  /** What it runs on: its adapter, or how it computes on the CPU. */
  readonly description: string;
  /** Makes a net from the workload's initial weights, in place of what there was. */
  prepare(training: Training): Promise<void>;
  /** Trains on the workload's batches in turn and reads the loss after every `readEvery` steps. */
  train(steps: number, readEvery: number): Promise<void>;
  /** The loss of each of the next steps. */
  losses(steps: number): Promise<number[]>;
  /** Computes the same so often, having made its inputs at the first time. */
  compute(computation: Computation, times: number): Promise<void>;
  /** Elements of what it computes, for checking it, by their places in the layout that `Computation` tells. */
  elements(computation: Computation, places: readonly number[]): Promise<number[]>;
}

/** What the parent asks a library's process. */
export type Request =
  | { readonly ask: 'describe' }
  | { readonly ask: 'losses'; readonly steps: number }
  | { readonly ask: 'prepare'; readonly training: Training }
  | { readonly ask: 'train'; readonly steps: number; readonly readEvery: number }
  | { readonly ask: 'count'; readonly steps: number }
  | { readonly ask: 'compute'; readonly computation: Computation; readonly times: number }
  | { readonly ask: 'elements'; readonly computation: Computation; readonly places: readonly number[] };

/** What each request is answered with. */
export interface Answers {
  describe: string;
  losses: number[];
  prepare: undefined;
  /** Milliseconds of all steps. */
  train: number;
  /** Calls a step. */
  count: CallCounts;
  /** Milliseconds of all computations. */
  compute: number;
  elements: number[];
}

/** A message of a library's process. */
export type Reply = { readonly answer: Answers[keyof Answers] } | { readonly error: string };
