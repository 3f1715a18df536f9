import type { CallCounts } from '../host/call-counts.js';

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

/** What a library can be asked to do. Everything ends only when the device has done it. */
export interface Library {
  /** What it runs on: its adapter, or how it computes on the CPU. */
  readonly description: string;
  /** Makes MyNet from the workload's initial weights, with dropout of so much, in place of what there was. */
  prepare(dropout: number): Promise<void>;
  /** Trains on the workload's batches in turn and reads the loss after every `readEvery` steps. */
  train(steps: number, readEvery: number): Promise<void>;
  /** The loss of each of the next steps. */
  losses(steps: number): Promise<number[]>;
  /** Multiplies two square matrices of the workload so often, having made them at the first time. */
  multiply(size: number, times: number): Promise<void>;
  /** An element of the product, for checking it. */
  productElement(size: number, row: number, column: number): Promise<number>;
}

/** What the parent asks a library's process. */
export type Request =
  | { readonly ask: 'describe' }
  | { readonly ask: 'losses'; readonly steps: number }
  | { readonly ask: 'prepare'; readonly dropout: number }
  | { readonly ask: 'train'; readonly steps: number; readonly readEvery: number }
  | { readonly ask: 'count'; readonly steps: number }
  | { readonly ask: 'multiply'; readonly size: number; readonly times: number }
  | { readonly ask: 'product'; readonly size: number; readonly row: number; readonly column: number };

/** What each request is answered with. */
export interface Answers {
  describe: string;
  losses: number[];
  prepare: undefined;
  /** Milliseconds of all steps. */
  train: number;
  /** Calls a step. */
  count: CallCounts;
  /** Milliseconds of all products. */
  multiply: number;
  product: number;
}

/** A message of a library's process. */
export type Reply = { readonly answer: Answers[keyof Answers] } | { readonly error: string };
