/**
 * The words by which threads talk, 32 bits each. What is written by everybody has a cache line of its own.
 *
 * Thread t of T has a share of its own of a phase's `count` tasks: those from ⌊t · count / T⌋ to ⌊(t + 1) · count / T⌋.
 * So a thread finds in its cache what the same part of a step before has left there, such as its rows of a weight. A
 * thread that is done with its share helps with the others, that of the next thread first.
 *
 * `shares`, and a line further for each thread, counts the tasks of a share that nobody has claimed: claiming is to
 * count it down by compare-and-exchange. Whatever else is read after that belongs to the claimed task, because its
 * phase cannot end before the task is done. `busy`, in the same line, is 1 while a worker claims and runs tasks.
 * `phase` changes once there is something to claim. `done` counts finished tasks, `failed` is 1 where one threw,
 * `threads` is T, `table` is where the tasks are described (lib/device/cpu/tasks.ts), and `scratchStride` is how far
 * apart the scratches of two threads lie, in bytes.
 */
export const CONTROL = {
  phase: 0,
  done: 16,
  failed: 32,
  count: 33,
  table: 34,
  scratchStride: 35,
  threads: 36,
  shares: 48,
  shareStride: 16,
  busy: 1,
};

/** What a worker is told when it starts. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  /** Address of the control words. */
  readonly control: number;
  readonly words: typeof CONTROL;
  /** Its number; the main thread is 0. */
  readonly thread: number;
  /** How many threads may have shares: fewer do where workers turned out not to start. */
  readonly threads: number;
  /** How long it looks out for tasks before it sleeps. */
  readonly spinMilliseconds: number;
}
