import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { checkArgument, text } from '../../options.js';
import { printable } from '../../printable.js';
import { checkpointIn, type TrainingCheckpoint } from '../../train/training-checkpoint.js';
import { codeOf, reasonOf } from '../reasons.js';
import { readSafetensors } from '../safetensors.js';

const NAME = /^step-(\d+)\.safetensors$/;
/** The checkpoint of the best epoch. */
export const BEST = 'best.safetensors';

/** The name of a checkpoint's file. */
export function fileAt(step: number): string {
  return `step-${step}.safetensors`;
}

/**
 * Reads a training checkpoint, for `fit({ resume })`: a file that {@link checkpoints} wrote. Throws DataError naming the path
 * where it cannot be read, is no training checkpoint, or one of a newer version. Whether it fits model, data and options is
 * seen by `fit`.
 */
export async function readTrainingCheckpoint(path: string): Promise<TrainingCheckpoint> {
  checkArgument('readTrainingCheckpoint', 'path', path, text);
  return checkpointIn(await readSafetensors(path), path);
}

/**
 * The checkpoint of the most steps in a folder that {@link checkpoints} writes to; undefined where there is none, or no such
 * folder, so that a program which is started again and again goes on where it was:
 *
 *     await fit(model, data, {
 *       ...options,
 *       resume: await newestTrainingCheckpoint('runs/mynet'),
 *       callbacks: [checkpoints({ directory: 'runs/mynet', everySteps: 500 })],
 *     });
 *
 * Throws DataError where the folder or the file cannot be read.
 */
export async function newestTrainingCheckpoint(directory: string): Promise<TrainingCheckpoint | undefined> {
  checkArgument('newestTrainingCheckpoint', 'directory', directory, text);
  const [newest] = await stepsIn(directory);
  return newest === undefined ? undefined : readTrainingCheckpoint(join(directory, fileAt(newest)));
}

/** The steps of the checkpoints in a folder, the most first; none where there is no such folder. */
export async function stepsIn(directory: string): Promise<number[]> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new DataError(`Cannot read ${printable(directory)}: ${reasonOf(error)}`);
  }
  const steps = names.flatMap((name) => (NAME.exec(name)?.slice(1) ?? []).map(Number));
  return steps.sort((a, b) => b - a);
}

/** Leaves the checkpoints of the most steps, so many, and that of `step`. */
export async function prune(directory: string, keep: number, step: number): Promise<void> {
  const old = (await stepsIn(directory)).slice(keep).filter((each) => each !== step);
  for (const each of old) await rm(join(directory, fileAt(each)), { force: true });
}
