import type { Batch, TargetBatch } from '../data/data-loader.js';
import type { Tensor } from '../tensor.js';
import { Meter, type MeterReading } from './meter.js';
import { measure, type Objective } from './objective.js';

/** What was measured since the last reading: means over all rows. */
export interface Measured {
  readonly loss: MeterReading;
  /** By name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Adds up the loss and the metrics of batches on the device, each batch by the number of its rows. */
export class Measurements {
  readonly #objective: Objective;
  readonly #loss = new Meter();
  readonly #metrics: ReadonlyMap<string, Meter>;

  constructor(objective: Objective) {
    this.#objective = objective;
    this.#metrics = new Map(Object.keys(objective.metrics).map((name) => [name, new Meter()]));
  }

  /** Inside a traced function: measures the output for a batch of so many rows. Returns its loss. */
  add(output: Tensor, batch: Batch | TargetBatch, rows: number): Tensor {
    const { caller, loss: lossOf, metrics, targetOf } = this.#objective;
    const target = targetOf(batch);
    const loss = measure(caller, 'the loss', lossOf, output, target);
    this.#loss.update(loss, rows);
    for (const [name, metric] of Object.entries(metrics)) {
      const value = measure(caller, `the metric '${name}'`, metric, output, target);
      this.#metrics.get(name)?.update(value, rows);
    }
    return loss;
  }

  /** Waits for everything queued, reads, and starts afresh behind it. */
  async take(): Promise<Measured> {
    const names = [...this.#metrics.keys()];
    const [loss, ...values] = await Promise.all([
      this.#loss.take(),
      ...[...this.#metrics.values()].map((meter) => meter.take()),
    ]);
    return { loss, metrics: Object.fromEntries(names.map((name, i) => [name, values[i]?.mean ?? NaN])) };
  }

  dispose(): void {
    this.#loss.dispose();
    for (const meter of this.#metrics.values()) meter.dispose();
  }
}
