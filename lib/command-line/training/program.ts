import type { Device, LabelledData, Module, Optimizer } from '../../index.js';
import { openDevice } from '../../node/index.js';
import { helpText, type OptionHelp, type OptionValues, parseOptions, runProgram } from '../arguments.js';
import {
  type BundledPictures,
  type CommonName,
  type CommonOptions,
  type Defaults,
  optionsWith,
  readCommonOptions,
} from './options.js';
import { readTrainingPictures } from './pictures.js';
import { describePrediction, predictPictures, savePredictions } from './predictions.js';
import { train } from './training.js';

/** What shells report for a program that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

/** A net as it is to be trained. */
export interface Task<Net extends Module = Module> {
  /** What the net is called in figures. */
  readonly title: string;
  /** Options of the program's own, written to history.json beside the common ones. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Width and height that every picture is resized to. */
  readonly size: (device: Device) => number;
  readonly layout: 'channels-first' | 'channels-last';
  /** Pictures as the net takes them, of numbers from 0 to 1. */
  readonly arrange: (pictures: LabelledData) => LabelledData;
  readonly net: (classes: number) => Net;
  /** Done to the net once it is built; left out, nothing. */
  readonly prepare?: (net: Net) => Promise<void>;
  /** @param steps in the whole training */
  readonly optimizer: (steps: number) => Optimizer;
}

/** A program that trains a net on pictures. */
export interface Program<Names extends string, Net extends Module> {
  readonly name: string;
  readonly defaults: Defaults;
  /** Options of its own. */
  readonly options: Readonly<Record<Names, OptionHelp>>;
  /** What its own options ask for. Throws OptionError for what cannot be used. */
  readonly task: (values: OptionValues<Names>) => Task<Net>;
}

/** All options of a program, as `--help` prints them. */
export function optionsOf<Names extends string, Net extends Module>({ options, defaults }: Program<Names, Net>) {
  return optionsWith(options, defaults);
}

/** Reads a command line; undefined where help was asked for. Throws OptionError for what cannot be used. */
export function readCommandLine<Names extends string, Net extends Module>(
  program: Program<Names, Net>,
  bundled: BundledPictures,
  args: readonly string[],
): { readonly common: CommonOptions; readonly task: Task<Net> } | undefined {
  const values: OptionValues<CommonName | Names | 'help'> = parseOptions(args, optionsOf(program));
  return values.help
    ? undefined
    : { common: readCommonOptions(values, program.defaults, bundled), task: program.task(values) };
}

/**
 * Trains a net on a folder of pictures, and predicts some others. It writes to `--out`: history.json (one number an epoch),
 * predictions.json, and the weights of the best and of the last epoch as .safetensors.
 */
export function runTraining<Names extends string, Net extends Module>(
  program: Program<Names, Net>,
  bundled: BundledPictures,
): Promise<void> {
  return runProgram(program.name, async (args) => {
    const asked = readCommandLine(program, bundled, args);
    if (!asked) {
      console.log(helpText(`npm run ${program.name} -- [options]`, optionsOf(program)));
      return 0;
    }
    const device = await openDevice(asked.common.device);
    try {
      return await trainAndPredict(asked.task, asked.common, device);
    } finally {
      device.dispose();
    }
  });
}

async function trainAndPredict<Net extends Module>(
  task: Task<Net>,
  common: CommonOptions,
  device: Device,
): Promise<number> {
  const size = task.size(device);
  const pictures = await readTrainingPictures(common, { size, layout: task.layout }, console.log);
  const training = task.arrange(pictures.training);
  const validation = task.arrange(pictures.validation);
  console.log(`device: ${device.info.description} (${device.info.reason})`);
  console.log(
    `pictures: ${training.labels.length} to train on, ${validation.labels.length} held out, ${size} × ${size}\n`,
  );
  const net = task.net(training.classNames.length);
  net.build(training.inputShape, { seed: common.seed });
  await task.prepare?.(net);
  net.summary();
  console.log();
  const { isInterrupted, epochs } = await train(net, { training, validation }, task, common, device);
  if (isInterrupted) {
    console.log(`\ninterrupted after ${epochs} epochs; the history and weights so far are in ${common.out}`);
    return INTERRUPTED;
  }
  const predictions = pictures.test ? await predictPictures(net, task.arrange(pictures.test), device) : [];
  await savePredictions(common.out, predictions);
  const lines = predictions.map((prediction) => describePrediction(prediction, training.classNames));
  console.log(['', ...lines, '', `results are in ${common.out}`].join('\n'));
  return 0;
}
