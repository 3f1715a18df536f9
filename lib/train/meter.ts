import { applyOne } from '../graph/node.js';
import type { NumericArray } from '../graph/operation.js';
import { checkArgument, number } from '../options.js';
import { METER_SIZE, meterTotals, meterUpdate } from '../ops/state/meter.js';
import type { Tensor } from '../tensor.js';
import { Variable } from '../variable.js';

/** What a meter has added up since its last reset. */
export interface MeterReading {
  /** Σ weight · value / Σ weight; NaN where nothing was added. */
  readonly mean: number;
  /** How many values were added; right up to 2^48. */
  readonly updates: number;
  /** Which of them, counted from 0, was the first that is not finite; undefined where all are. */
  readonly firstNonFinite: number | undefined;
}

/**
 * A running mean that stays on the device, so that a training loop need not wait for its loss at each step: add to it
 * inside the traced function, read it once an epoch.
 */
export class Meter {
  /** @internal Where it adds up. */
  readonly state = new Variable('meter', new Float32Array(METER_SIZE));

  /**
   * Inside a traced function: adds a scalar with a weight, such as the number of rows that it is the mean of.
   * Throws OptionError for a weight that is no number of 0 or more.
   */
  update(value: Tensor, weight = 1): void {
    checkArgument('Meter.update', 'the weight', weight, number({ min: 0 }));
    this.state.update(applyOne(meterUpdate, [this.state.value, value], { weight }));
  }

  /** Waits for everything queued and reads. */
  async read(): Promise<MeterReading> {
    return readingOf(await this.state.data());
  }

  /** Reads as {@link read} does, and starts afresh behind everything queued: for reading once an epoch. */
  async take(): Promise<MeterReading> {
    return readingOf(await this.state.take());
  }

  /** Starts afresh. */
  reset(): void {
    this.state.set(new Float32Array(METER_SIZE));
  }

  /** Frees the buffer. */
  dispose(): void {
    this.state.dispose();
  }
}

function readingOf(state: NumericArray): MeterReading {
  const { total, weights, updates, first } = meterTotals(state);
  return { mean: total / weights, updates, firstNonFinite: first >= 1 ? first - 1 : undefined };
}
