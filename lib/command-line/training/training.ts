import { join } from 'node:path';
import {
  type AnyEpochResult,
  type Callback,
  type Augment,
  type Device,
  type EpochResult,
  fit,
  type PictureClassifier,
  type Split,
  type TrainingCheckpoint,
  TrainingError,
} from '../../index.js';
import { ARCHITECTURES } from '../../models/architectures.js';
import { modelParts } from '../../models/model-file.js';
import { checkpoints, newestTrainingCheckpoint, writeFileAtomically, writeSafetensors } from '../../node/index.js';
import { jsonText } from '../json.js';
import type { Output } from '../output.js';
import { makeOptimizer } from './optimizers.js';
import type { TrainingOptions } from './options.js';

/** How a training ended. */
export interface Training {
  /** Of the epochs that were completed, those before it was resumed among them. */
  readonly results: readonly EpochResult[];
  /** The last step that was made. */
  readonly step: number;
}

/**
 * Fits the model, prints a line an epoch, and keeps history.json and the models of the best and of the last epoch up
 * to date on disk. The signal ends it after the step at hand; what was trained so far is saved.
 */
export async function train(
  model: PictureClassifier,
  split: Split,
  options: TrainingOptions,
  augment: Augment | undefined,
  device: Device,
  output: Output,
  signal: AbortSignal,
): Promise<Training> {
  const results: EpochResult[] = [];
  let lastStep = 0;
  const directory = join(options.out, 'checkpoints');
  const resume = options.resume ? await newestTrainingCheckpoint(directory) : undefined;
  if (resume) output.progress(resumedLine(resume, options, device));
  const stepsInEpoch = Math.ceil(split.training.labels.length / options.batchSize);
  const saveAs = async (name: string): Promise<void> => {
    const { tensors, metadata } = await modelParts(model);
    const isGood = [...tensors.values()].every(({ data }) => data.every((value) => Number.isFinite(Number(value))));
    if (!isGood) {
      // The last update of the epoch: no loss has been computed with it yet.
      const step = results.length * stepsInEpoch;
      throw new TrainingError(`the weights are not finite after step ${step}: the learning rate may be too high`, step);
    }
    await writeSafetensors(join(options.out, `${name}.safetensors`), tensors, metadata);
  };
  let lowestLoss = Infinity;
  // Those of the epochs before it was resumed come first.
  const goingOn: Callback = {
    onTrainBegin: (run) => {
      results.push(...run.results.map(withAccuracy));
      lowestLoss = Math.min(...results.map(lossOf));
    },
    // The weights at the start are the last good ones should the loss run away in the first epoch.
    onEpochBegin: async ({ step }) => {
      if (step > 0) return;
      await saveAs('last');
      await saveAs('best');
    },
    onTrainEnd: ({ step }) => {
      lastStep = step;
    },
  };
  const every = options.checkpointEvery !== undefined && { everySteps: options.checkpointEvery };
  await fit(model, split.training, {
    epochs: options.epochs,
    batchSize: options.batchSize,
    optimizer: makeOptimizer(options, options.epochs * stepsInEpoch),
    ...(split.validation.labels.length > 0 && { validation: split.validation }),
    ...(augment && { augment }),
    seed: options.seed,
    device,
    signal,
    resume,
    callbacks: [
      goingOn,
      ...(writesCheckpoints(options) ? [checkpoints({ directory, ...every })] : []),
      output.trainingBar(),
    ],
    onEpochEnd: async (result) => {
      results.push(result);
      output.progress(epochLine(result, options.epochs));
      await saveHistory(results, options, device);
      await saveAs('last');
      if (lossOf(result) < lowestLoss) {
        lowestLoss = lossOf(result);
        await saveAs('best');
      }
    },
  });
  // A process that was killed may have ended between the last checkpoint and these.
  if (signal.aborted || resume) {
    await saveAs('last');
    await saveHistory(results, options, device);
  }
  return { results, step: lastStep };
}

/** `1 epoch`, `2 epochs` */
export function epochCount(epochs: number): string {
  return epochs === 1 ? '1 epoch' : `${epochs} epochs`;
}

/** Whether a training can be gone on with. */
export function writesCheckpoints({ resume, checkpointEvery }: TrainingOptions): boolean {
  return resume || checkpointEvery !== undefined;
}

function withAccuracy(result: AnyEpochResult): EpochResult {
  const { epoch, loss, validationLoss, seconds, accuracy, validationAccuracy } = result;
  return {
    ...{ epoch, loss, validationLoss, seconds, accuracy: Number(accuracy) },
    validationAccuracy: validationAccuracy === undefined ? undefined : Number(validationAccuracy),
  };
}

/** What says which epoch was the best one. */
function lossOf({ validationLoss, loss }: EpochResult): number {
  return validationLoss ?? loss;
}

function resumedLine(
  { step, epochs, source, device: before }: TrainingCheckpoint,
  options: TrainingOptions,
  device: Device,
): string {
  const isOver = epochs >= options.epochs ? ': the training had ended, and there is nothing to do' : '';
  const isOther = before.description !== device.info.description;
  const note = isOther
    ? `\nit was trained on ${before.description} so far: on another device it goes on, but not bit for bit`
    : '';
  return `goes on from ${source}, step ${step}, after ${epochCount(epochs)}${isOver}${note}\n`;
}

async function saveHistory(results: readonly EpochResult[], options: TrainingOptions, device: Device): Promise<void> {
  const validated = results.filter(({ validationLoss }) => validationLoss !== undefined);
  const history = {
    title: ARCHITECTURES[options.model].title,
    loss: results.map(({ loss }) => loss),
    accuracy: results.map(({ accuracy }) => accuracy),
    validationLoss: validated.map(({ validationLoss }) => validationLoss),
    validationAccuracy: validated.map(({ validationAccuracy }) => validationAccuracy),
    seconds: results.reduce((total, { seconds }) => total + seconds, 0),
    device: device.info,
    seed: options.seed,
    options,
  };
  await writeFileAtomically(join(options.out, 'history.json'), `${jsonText(history, 2)}\n`);
}

/** One line for an epoch: losses, shares of correct predictions, time. */
function epochLine(result: EpochResult, epochs: number): string {
  const { epoch, loss, accuracy, validationLoss, validationAccuracy, seconds } = result;
  const parts = [
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${loss.toFixed(4)}`,
    `accuracy ${accuracy.toFixed(3)}`,
  ];
  if (validationLoss !== undefined && validationAccuracy !== undefined) {
    parts.push(`validation loss ${validationLoss.toFixed(4)}`, `validation accuracy ${validationAccuracy.toFixed(3)}`);
  }
  return [...parts, `${seconds.toFixed(2)} s`].join('  ');
}
