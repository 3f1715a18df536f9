import type { LabelledData } from '../data/training-data.js';
import { type DefaultMetrics, type MetricValue, type ValidationName, validationName, type ValueOf } from './metrics.js';

/** What an epoch comes to, whatever its metrics are. */
interface EpochNumbers {
  /** Counted from 1. */
  readonly epoch: number;
  /** Mean over the epoch's examples, each in the step that it was trained in. */
  readonly loss: number;
  /** Mean loss after the epoch, in evaluation mode; undefined without validation data. */
  readonly validationLoss: number | undefined;
  /** Time of the epoch, validation included: since the one before was over. */
  readonly seconds: number;
}

/** What one epoch came to: the loss and each metric by its name, and, with validation data, the same with `validation` before it. */
export type EpochResult<M = DefaultMetrics<LabelledData>> = EpochNumbers & {
  readonly [Name in keyof M]: ValueOf<M[Name]>;
} & { readonly [Name in keyof M as ValidationName<Name>]: ValueOf<M[Name]> | undefined };

/** An {@link EpochResult} of metrics that are not known by name, as callbacks have it. */
export type AnyEpochResult = EpochNumbers & Readonly<Record<string, MetricValue | undefined>>;

/** One value an epoch, of what {@link EpochResult} has. The validation arrays are empty without validation data. */
export type History<M = DefaultMetrics<LabelledData>> = {
  /** `loss` of each {@link EpochResult}. */
  readonly loss: readonly number[];
  /** `validationLoss` of each {@link EpochResult}. */
  readonly validationLoss: readonly number[];
  /** `seconds` of each {@link EpochResult}. */
  readonly seconds: readonly number[];
} & {
  readonly [Name in keyof M]: readonly ValueOf<M[Name]>[];
} & { readonly [Name in keyof M as ValidationName<Name>]: readonly ValueOf<M[Name]>[] };

/** What an epoch came to, before metrics have their names. */
export interface Epoch {
  readonly epoch: number;
  readonly training: Means;
  readonly validation: Means | undefined;
  readonly seconds: number;
}

/** What was measured of all rows: the mean loss, and each metric by its name. */
export interface Means {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
}

/** An {@link EpochResult} of the metrics of these names. */
export function epochResult(names: readonly string[], { epoch, training, validation, seconds }: Epoch): AnyEpochResult {
  return {
    epoch,
    loss: training.loss,
    validationLoss: validation?.loss,
    seconds,
    ...training.metrics,
    ...Object.fromEntries(names.map((name) => [validationName(name), validation?.metrics[name]])),
  };
}

/** A {@link History} of the metrics of these names. */
export function historyOf(
  names: readonly string[],
  epochs: readonly Epoch[],
): Readonly<Record<string, readonly MetricValue[]>> {
  const trained = epochs.map(({ training }) => training);
  const validated = epochs.map(({ validation }) => validation).filter((means) => means !== undefined);
  return {
    loss: trained.map(({ loss }) => loss),
    validationLoss: validated.map(({ loss }) => loss),
    seconds: epochs.map(({ seconds }) => seconds),
    ...Object.fromEntries(names.map((name) => [name, trained.map(({ metrics }) => metrics[name] ?? NaN)])),
    ...Object.fromEntries(
      names.map((name) => [validationName(name), validated.map(({ metrics }) => metrics[name] ?? NaN)]),
    ),
  };
}
