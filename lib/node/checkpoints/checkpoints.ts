import { join, resolve } from 'node:path';
import { OptionError } from '../../errors.js';
import { boolean, checkOptions, type OptionRules, required, text, wholeNumber } from '../../options.js';
import { printable } from '../../printable.js';
import type { Callback, TrainingRun } from '../../train/callback.js';
import { Monitor, MONITOR_RULES, type MonitorOptions } from '../../train/callbacks/monitor.js';
import { identityOf, trainingCheckpointOf } from '../../train/training-checkpoint.js';
import { readMetadata, writeSafetensors } from '../safetensors.js';
import { prepareFolder } from '../write-file.js';
import { BEST, fileAt, prune, stepsIn } from './files.js';

/** Options of {@link checkpoints}. */
export interface CheckpointsOptions extends Omit<MonitorOptions, 'minDelta'> {
  /** The folder that they are written to, one for each training. It is made where it is missing. */
  readonly directory: string;
  /** One after every so many steps. Default: none. */
  readonly everySteps?: number;
  /** One after every so many epochs. Default 1, and none where `everySteps` is given. */
  readonly everyEpochs?: number;
  /** How many are kept; those of the fewest steps go. Default 2. */
  readonly keep?: number;
  /** Whether the one of the best epoch by `monitor` and `mode` is kept as well, as `best.safetensors`. Default false. */
  readonly keepBest?: boolean;
}

const RULES: OptionRules<CheckpointsOptions> = {
  directory: required(text),
  everySteps: wholeNumber({ min: 1 }),
  everyEpochs: wholeNumber({ min: 1 }),
  keep: wholeNumber({ min: 1 }),
  keepBest: boolean,
  monitor: MONITOR_RULES.monitor,
  mode: MONITOR_RULES.mode,
};

/**
 * Writes training checkpoints, with which `fit({ resume })` goes on exactly where this training was, whatever ended the
 * process: `step-1200.safetensors` ({@link readTrainingCheckpoint}, {@link newestTrainingCheckpoint}). The last one is written at
 * the end of the training, also of one that was stopped or aborted, and not of one that failed. Each is whole or not
 * there at all. The training goes on while one is written; the next one waits for it, so that only one is in memory.
 *
 * `fit` throws OptionError where the folder holds checkpoints of another training than the one that is resumed, or another
 * training of this process writes there, DataError naming the path where it cannot be written to, and TrainingError,
 * without writing, once loss or weights are not finite.
 *
 * Throws OptionError for an unknown or unusable option.
 */
export function checkpoints(options: CheckpointsOptions): Callback {
  checkOptions('checkpoints', options, RULES);
  const { directory, everySteps, everyEpochs = everySteps === undefined ? 1 : Infinity, keep = 2 } = options;
  const monitor = options.keepBest === true ? new Monitor('checkpoints', options) : undefined;
  const writers = new WeakMap<TrainingRun, Writer>();
  const writerOf = (run: TrainingRun): Writer => {
    const writer = writers.get(run) ?? new Writer(directory, keep);
    writers.set(run, writer);
    return writer;
  };
  return {
    savesState: true,
    onTrainBegin: async (run) => {
      monitor?.checkNames(run);
      await writerOf(run).begin(run);
    },
    ...(everySteps !== undefined && {
      everySteps,
      onStepEnd: (run: TrainingRun) => writerOf(run).save(run, { isBest: false }),
    }),
    onEpochEnd: async (run) => {
      const isBest = monitor !== undefined && isLastBest(run, monitor);
      if (isBest || run.epoch % everyEpochs === 0) await writerOf(run).save(run, { isBest });
    },
    onTrainEnd: (run) => writerOf(run).end(run),
  };
}

function isLastBest({ results }: TrainingRun, monitor: Monitor): boolean {
  let best: number | undefined;
  let isLast = false;
  for (const result of results) {
    const value = monitor.valueOf(result);
    isLast = monitor.isBetter(value, best);
    if (isLast) best = value;
  }
  return isLast;
}

/** Folders that trainings of this process write to. */
const inUse = new Set<string>();

/** Writes the checkpoints of one training. */
class Writer {
  readonly #directory: string;
  readonly #keep: number;
  /** The moment that was saved last. */
  #saved: string | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, keep: number) {
    this.#directory = directory;
    this.#keep = keep;
  }

  async begin(run: TrainingRun): Promise<void> {
    const path = resolve(this.#directory);
    const shown = printable(this.#directory);
    if (inUse.has(path)) {
      throw new OptionError(`checkpoints: another training of this process writes to ${shown}: give each a folder`);
    }
    inUse.add(path);
    try {
      await prepareFolder(this.#directory);
      await this.#checkOwner(run, shown);
    } catch (error) {
      inUse.delete(path);
      throw error;
    }
  }

  async #checkOwner(run: TrainingRun, shown: string): Promise<void> {
    const { id } = identityOf(run); // also says early what cannot be saved
    const [newest] = await stepsIn(this.#directory);
    if (newest === undefined) return;
    const { training } = await readMetadata(join(this.#directory, fileAt(newest)));
    if (training === id) {
      if (newest === run.step) this.#saved = momentOf(run);
      return;
    }
    throw new OptionError(
      `checkpoints: ${shown} holds those of another training, up to step ${newest}: go on from them ` +
        '(resume: await newestTrainingCheckpoint(directory), on the command line --resume), or take another folder',
    );
  }

  /** Has what the training is at written; waits for nothing but the one before. */
  async save(run: TrainingRun, { isBest }: { readonly isBest: boolean }): Promise<void> {
    await this.#writing;
    this.#saved = momentOf(run);
    this.#writing = this.#write(run, isBest);
    this.#writing.catch(() => undefined); // it is told by whoever waits for it
  }

  async #write(run: TrainingRun, isBest: boolean): Promise<void> {
    const checkpoint = await trainingCheckpointOf(run);
    const { tensors, metadata } = checkpoint.toSafetensors();
    for (const name of [fileAt(checkpoint.step), ...(isBest ? [BEST] : [])]) {
      await writeSafetensors(join(this.#directory, name), tensors, metadata);
    }
    await prune(this.#directory, this.#keep, checkpoint.step);
  }

  async end(run: TrainingRun): Promise<void> {
    try {
      if (run.error === undefined && this.#saved !== momentOf(run)) await this.save(run, { isBest: false });
      await this.#writing;
    } finally {
      inUse.delete(resolve(this.#directory));
    }
  }
}

/** Behind the last step of an epoch there are two: before it is over, and after. */
function momentOf({ step, results }: TrainingRun): string {
  return `${step} ${results.length}`;
}
