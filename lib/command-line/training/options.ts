import { type DeviceRequest, OptionError } from '../../index.js';
import {
  ARCHITECTURE_NAMES,
  type ArchitectureName,
  type ArchitectureOptions,
  ARCHITECTURES,
} from '../../models/architectures.js';
import { numberOption, type OptionHelp, type OptionValues } from '../arguments.js';
import {
  DEVICE_OPTION,
  deviceOption,
  OUTPUT_OPTIONS,
  oneOfOption,
  shareOption,
  textOption,
} from '../shared-options.js';
import { type AugmentationName, AUGMENTATIONS } from './augmentations.js';
import { type OptimizerName, OPTIMIZERS, type OptimizerSettings, type ScheduleName, SCHEDULES } from './optimizers.js';
import { type Recipe, RECIPES } from './recipes.js';

/** All that decides a training, beside the pictures themselves. */
export interface TrainingOptions extends OptimizerSettings {
  readonly model: ArchitectureName;
  /** The folder of pictures to train on, or of folders for training, validation and test. */
  readonly data: string;
  /** The folder of pictures to predict at the end. */
  readonly test: string | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  /** Width and height that pictures are resized to; undefined leaves it to the recipe and the device. */
  readonly inputSize: number | undefined;
  readonly dropout: number;
  /** Units of MyNet's hidden layer. */
  readonly hidden: number | undefined;
  /** A file of weights to start from. */
  readonly weights: string | undefined;
  /** Whether the last layer alone is trained. */
  readonly freeze: boolean;
  readonly augment: AugmentationName;
  readonly seed: number;
  readonly validationSplit: number;
  /** Whether it is said what stands out about the pictures. */
  readonly audit: boolean;
  /** Whether that is said in full. */
  readonly verbose: boolean;
  /** Whether report.html is written at the end. */
  readonly report: boolean;
  /** Undefined leaves the choice to KERNELWRIGHT_DEVICE, else `auto`. */
  readonly device: DeviceRequest | undefined;
  /** The folder for what is written. */
  readonly out: string;
  /** Steps from one training checkpoint to the next; undefined: none are written, or with `resume` one an epoch. */
  readonly checkpointEvery: number | undefined;
  /** Whether the training goes on from the newest checkpoint in `out`, where there is one. */
  readonly resume: boolean;
}

export type TrainingOptionName = keyof ReturnType<typeof trainingOptions>;

/** The options of a training as `--help` prints them, with the defaults of a net, or of none. */
export function trainingOptions(model?: ArchitectureName) {
  const of = (name: keyof Recipe): string => `default ${model ? String(RECIPES[model][name] ?? 0) : "the net's"}`;
  const ofSize = model && RECIPES[model].inputSize !== RECIPES[model].inputSizeOnCpu;
  const size = ofSize ? `; ${RECIPES[model].inputSizeOnCpu} without a GPU` : '';
  const least = model ? `, at least ${ARCHITECTURES[model].smallestSize}` : '';
  return {
    test: { value: 'DIR', help: 'pictures to predict at the end, in the same sub-folders' },
    epochs: { value: 'N', help: `times through the pictures, at most 1,000,000 (${of('epochs')})` },
    'batch-size': { value: 'N', help: `pictures in a step, at most 1,000,000 (${of('batchSize')})` },
    'input-size': {
      value: 'N',
      help: `width and height that pictures are resized to${least} (${of('inputSize')}${size})`,
    },
    optimizer: { value: 'NAME', help: `${Object.keys(OPTIMIZERS).join(', ')} (${of('optimizer')})` },
    'learning-rate': { value: 'X', help: `step size, of a schedule the largest (${of('learningRate')})` },
    schedule: {
      value: 'NAME',
      help: `the step size over the training: ${SCHEDULE_NAMES.join(', ')} (${of('schedule')}); step: a tenth after each third`,
    },
    momentum: {
      value: 'X',
      help: `of sgd and rmsprop (default: of sgd 0.9, of rmsprop 0); beta1 of adam goes along with one-cycle`,
    },
    'weight-decay': { value: 'X', help: `how strongly weights are drawn to 0 (${of('weightDecay')})` },
    dropout: { value: 'P', help: `probability of dropping a feature before the last layer (${of('dropout')})` },
    hidden: { value: 'N', help: 'of mynet: units of the hidden layer, at most 65,536 (default 200)' },
    augment: {
      value: 'NAME',
      help: 'article: 48 of each picture; recipe: other views in each epoch, and eight for an answer (default none)',
    },
    weights: {
      value: 'FILE',
      help: 'weights to start from, a .safetensors file: a model of this program, or with the names of PyTorch',
    },
    freeze: { help: 'train the last layer only' },
    seed: { value: 'N', help: 'decides weights, split, order and masks (default 0)' },
    'validation-split': {
      value: 'X',
      help: 'share of each class that is held out, of pictures that are not divided (default 0.2)',
    },
    report: { help: 'write report.html, too: curves, mistakes, predictions and what matters in the pictures' },
    'no-audit': { help: 'say nothing of duplicates and odd pictures' },
    device: DEVICE_OPTION,
    'checkpoint-every': {
      value: 'STEPS',
      help: 'write a checkpoint to OUT/checkpoints after every so many steps, and when the training is interrupted',
    },
    resume: { help: 'go on from the newest checkpoint in OUT/checkpoints; from the beginning where there is none' },
    out: {
      value: 'DIR',
      help: `folder for model, history and predictions (default runs/${model ?? 'the name of the net'})`,
    },
    ...OUTPUT_OPTIONS,
    verbose: { help: 'name all duplicates and odd pictures' },
  } as const satisfies Readonly<Record<string, OptionHelp>>;
}

/** 154 million weights, 0.6 GB, and as much again for the momentum. */
const MOST_HIDDEN = 65_536;
/** 4096 × 4096 numbers of 16 channels are 1 GB a picture. */
const LARGEST_SIZE = 4096;

/** Where the pictures are, and where what is written goes. */
interface Places {
  readonly data: string;
  /** Where `--test` is not given. */
  readonly test?: string | undefined;
  readonly out?: string;
}

/** What a command line asks for. Throws OptionError for what cannot be used. */
export function readTrainingOptions(
  model: ArchitectureName,
  values: OptionValues<TrainingOptionName>,
  places: Places,
): TrainingOptions {
  const recipe = RECIPES[model];
  const whole = { min: 1, max: 1_000_000, isWhole: true };
  const sizes = { min: ARCHITECTURES[model].smallestSize, max: LARGEST_SIZE, isWhole: true };
  const hidden = hiddenOption(model, values.hidden);
  return {
    model,
    data: places.data,
    test: textOption(values.test) ?? places.test,
    epochs: numberOption('epochs', values.epochs, recipe.epochs, whole),
    batchSize: numberOption('batch-size', values['batch-size'], recipe.batchSize, whole),
    inputSize:
      values['input-size'] === undefined
        ? undefined
        : numberOption('input-size', values['input-size'], recipe.inputSize, sizes),
    ...optimizerOptions(recipe, values),
    dropout: shareOption('dropout', values.dropout, recipe.dropout),
    hidden,
    weights: textOption(values.weights),
    freeze: values.freeze === true,
    augment: oneOfOption('augment', values.augment, AUGMENTATIONS) ?? 'none',
    seed: numberOption('seed', values.seed, 0, { min: 0, isWhole: true }),
    validationSplit: shareOption('validation-split', values['validation-split'], 0.2),
    audit: values['no-audit'] !== true,
    verbose: values.verbose === true,
    report: values.report === true,
    device: deviceOption(values.device),
    checkpointEvery:
      values['checkpoint-every'] === undefined
        ? undefined
        : numberOption('checkpoint-every', values['checkpoint-every'], 1, { min: 1, isWhole: true }),
    resume: values.resume === true,
    out: textOption(values.out) ?? places.out ?? `runs/${model}`,
  };
}

function hiddenOption(model: ArchitectureName, text: string | true | undefined): number | undefined {
  if (text !== undefined && model !== 'mynet') throw new OptionError(`--hidden is an option of mynet, not of ${model}`);
  if (model !== 'mynet') return undefined;
  return numberOption('hidden', text, 200, { min: 1, max: MOST_HIDDEN, isWhole: true });
}

function optimizerOptions(recipe: Recipe, values: OptionValues<TrainingOptionName>): OptimizerSettings {
  const optimizer = oneOfOption('optimizer', values.optimizer, OPTIMIZER_NAMES) ?? recipe.optimizer;
  const { learningRate, momentum }: { learningRate: number; momentum?: number } = OPTIMIZERS[optimizer];
  // Of another optimizer than the recipe's, its figures say nothing.
  const usual = optimizer === recipe.optimizer ? recipe : { learningRate, momentum, weightDecay: 0 };
  if (values.momentum !== undefined && momentum === undefined) {
    throw new OptionError(`--momentum is an option of sgd and rmsprop, not of ${optimizer}`);
  }
  return {
    optimizer,
    learningRate: numberOption('learning-rate', values['learning-rate'], usual.learningRate, { min: 0 }),
    ...(momentum !== undefined && {
      momentum: numberOption('momentum', values.momentum, usual.momentum ?? momentum, { min: 0 }),
    }),
    weightDecay: numberOption('weight-decay', values['weight-decay'], usual.weightDecay ?? 0, { min: 0 }),
    schedule: oneOfOption('schedule', values.schedule, SCHEDULE_NAMES) ?? recipe.schedule,
  };
}

const SCHEDULE_NAMES = Object.keys(SCHEDULES) as readonly ScheduleName[];
const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as readonly OptimizerName[];

/** The net of `--model`. Throws OptionError where there is none that is called so. */
export function modelOption(text: string | true | undefined): ArchitectureName {
  return oneOfOption('model', text, ARCHITECTURE_NAMES) ?? 'convnet';
}

/** Options of the net itself. */
export function netOptions({ dropout, hidden }: TrainingOptions): Omit<ArchitectureOptions, 'classes'> {
  return { dropout, ...(hidden !== undefined && { hidden }) };
}
