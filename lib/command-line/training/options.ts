import { OptionError, type DeviceRequest } from '../../index.js';
import { numberOption, type OptionHelp, type OptionValues } from '../arguments.js';

/** What a program takes where its command line does not say. */
export interface Defaults {
  readonly epochs: number;
  readonly batchSize: number;
  readonly out: string;
}

/** The pictures that a program takes where its command line names none. */
export interface BundledPictures {
  readonly train: string;
  readonly test: string;
}

/** The options that all programs have which train a net on pictures. */
export type CommonName =
  'data' | 'test' | 'epochs' | 'batch-size' | 'seed' | 'validation-split' | 'no-audit' | 'verbose' | 'device' | 'out';

/** The common options with their defaults filled in. */
export interface CommonOptions {
  readonly data: string;
  /** Undefined where `--data` names other pictures and no test pictures were given with them. */
  readonly test: string | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly validationSplit: number;
  /** Whether it is said what stands out about the pictures. */
  readonly audit: boolean;
  /** Whether that is said in full. */
  readonly verbose: boolean;
  /** Undefined leaves the choice to KERNELWRIGHT_DEVICE, else `auto`. */
  readonly device: DeviceRequest | undefined;
  readonly out: string;
}

/** The common options as `--help` prints them, those of one program between them. */
export function optionsWith<Names extends string>(
  own: Readonly<Record<Names, OptionHelp>>,
  { epochs, batchSize, out }: Defaults,
): Readonly<Record<CommonName | Names, OptionHelp>> {
  return {
    data: {
      value: 'DIR',
      help: 'pictures, one sub-folder a class, or train, valid and test (default: the bundled ones)',
    },
    test: { value: 'DIR', help: 'pictures to predict at the end, the same sub-folders (default: the bundled ones)' },
    epochs: { value: 'N', help: `times through the pictures, at most 1,000,000 (default ${epochs})` },
    'batch-size': { value: 'N', help: `pictures in a step, at most 1,000,000 (default ${batchSize})` },
    ...own,
    seed: { value: 'N', help: 'decides weights, split, order and masks (default 0)' },
    'validation-split': {
      value: 'X',
      help: 'share of each class that is held out, of pictures that are not divided (default 0.2)',
    },
    'no-audit': { help: 'say nothing of duplicates and odd pictures' },
    verbose: { help: 'name all duplicates and odd pictures' },
    device: { value: 'auto|cpu|webgpu', help: 'default auto: a hardware GPU if there is one, else the CPU' },
    out: { value: 'DIR', help: `where results are written (default ${out})` },
  };
}

/** Throws OptionError for what cannot be used. */
export function readCommonOptions(
  values: OptionValues<CommonName>,
  { epochs, batchSize, out }: Defaults,
  bundled: BundledPictures,
): CommonOptions {
  const whole = { min: 1, max: 1_000_000, isWhole: true };
  return {
    data: textOption(values.data) ?? bundled.train,
    test: textOption(values.test) ?? (values.data === undefined ? bundled.test : undefined),
    epochs: numberOption('epochs', values.epochs, epochs, whole),
    batchSize: numberOption('batch-size', values['batch-size'], batchSize, whole),
    seed: numberOption('seed', values.seed, 0, { min: 0, isWhole: true }),
    validationSplit: shareOption('validation-split', values['validation-split'], 0.2),
    audit: values['no-audit'] !== true,
    verbose: values.verbose === true,
    device: deviceOption(textOption(values.device)),
    out: textOption(values.out) ?? out,
  };
}

/** A text that is given, else undefined. */
export function textOption(value: string | true | undefined): string | undefined {
  return value === true ? undefined : value;
}

/** A number from 0 to less than 1. */
export function shareOption(name: string, value: string | true | undefined, otherwise: number): number {
  return numberOption(name, value, otherwise, { min: 0, max: 1, belowMax: true });
}

function deviceOption(device: string | undefined): DeviceRequest | undefined {
  if (device === undefined || device === 'auto' || device === 'cpu' || device === 'webgpu') return device;
  throw new OptionError(`--device ${device}: expected auto, cpu or webgpu`);
}
