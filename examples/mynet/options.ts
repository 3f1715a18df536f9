import { fileURLToPath } from 'node:url';
import { OptionError, type DeviceRequest } from 'kernelwright';
import { numberOption, parseOptions } from '../cli.js';

/** What `npm run mynet` can be told. */
export const OPTIONS = {
  data: { value: 'DIR', help: 'pictures to train on, one sub-folder a class (default: the bundled ones)' },
  test: { value: 'DIR', help: 'pictures to predict at the end, the same sub-folders (default: the bundled ones)' },
  article: { help: "the article's values: learning rate 0.001 without momentum" },
  epochs: { value: 'N', help: 'times through the pictures, at most 1,000,000 (default 40)' },
  'batch-size': { value: 'N', help: 'pictures in a step, at most 1,000,000 (default 32)' },
  hidden: { value: 'N', help: 'units of the hidden layer, at most 65,536 (default 200)' },
  'learning-rate': { value: 'X', help: 'step size of SGD (default 0.001)' },
  momentum: { value: 'X', help: 'momentum of SGD (default 0.9)' },
  dropout: { value: 'P', help: 'probability of dropping a hidden unit (default 0.5)' },
  seed: { value: 'N', help: 'decides weights, split, order and masks (default 0)' },
  'validation-split': { value: 'X', help: 'share of each class that is held out (default 0.2)' },
  device: { value: 'auto|cpu|webgpu', help: 'default auto: a hardware GPU if there is one, else the CPU' },
  out: { value: 'DIR', help: 'where results are written (default runs/mynet)' },
} as const;

/** The options with their defaults filled in. */
export interface Options {
  readonly data: string;
  /** Undefined where `--data` names other pictures and no test pictures were given with them. */
  readonly test: string | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly hidden: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly dropout: number;
  readonly seed: number;
  readonly validationSplit: number;
  /** As given; checked by openDevice. Undefined leaves the choice to KERNELWRIGHT_DEVICE, else `auto`. */
  readonly device: DeviceRequest | undefined;
  readonly out: string;
}

/** 154 million weights, 0.6 GB, and as much again for the momentum. */
const MOST_HIDDEN = 65_536;

const DEFAULTS = { learningRate: 0.001, momentum: 0.9 };
/** https://qiita.com/moriitkys/items/316fcca8d83dfa706597 */
const ARTICLE = { learningRate: 0.001, momentum: 0 };

/** Reads the command line; undefined where help was asked for. Throws OptionError for what cannot be used. */
export function readOptions(args: readonly string[]): Options | undefined {
  const values = parseOptions(args, OPTIONS);
  if (values.help) return undefined;
  const { learningRate, momentum } = values.article ? ARTICLE : DEFAULTS;
  const text = (value: string | true | undefined): string | undefined => (value === true ? undefined : value);
  const whole = { min: 1, max: 1_000_000, isWhole: true };
  return {
    data: text(values.data) ?? bundled('train'),
    test: text(values.test) ?? (values.data === undefined ? bundled('test') : undefined),
    epochs: numberOption('epochs', values.epochs, 40, whole),
    batchSize: numberOption('batch-size', values['batch-size'], 32, whole),
    hidden: numberOption('hidden', values.hidden, 200, { ...whole, max: MOST_HIDDEN }),
    learningRate: numberOption('learning-rate', values['learning-rate'], learningRate, { min: 0 }),
    momentum: numberOption('momentum', values.momentum, momentum, { min: 0 }),
    dropout: numberOption('dropout', values.dropout, 0.5, { min: 0, max: 1, belowMax: true }),
    seed: numberOption('seed', values.seed, 0, { min: 0, isWhole: true }),
    validationSplit: numberOption('validation-split', values['validation-split'], 0.2, {
      min: 0,
      max: 1,
      belowMax: true,
    }),
    device: deviceOption(text(values.device)),
    out: text(values.out) ?? 'runs/mynet',
  };
}

function deviceOption(device: string | undefined): DeviceRequest | undefined {
  if (device === undefined || device === 'auto' || device === 'cpu' || device === 'webgpu') return device;
  throw new OptionError(`--device ${device}: expected auto, cpu or webgpu`);
}

function bundled(part: 'train' | 'test'): string {
  return fileURLToPath(new URL(`pictures/${part}`, import.meta.url));
}
