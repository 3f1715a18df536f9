import type { Batch, TargetBatch } from '../data/data-loader.js';
import type { NumericArray } from '../graph/operation.js';
import type { Tensor } from '../tensor.js';
import { sizeOf } from '../shape.js';
import { Variable } from '../variable.js';
import { multiply } from '../ops/pointwise/arithmetic.js';
import { sum } from '../ops/reduce/sum.js';
import { Meter, type MeterReading } from './meter.js';
import type { CountedMetric, Counter, Metric, MetricValue } from './metrics.js';
import { count, lossOf, measure, type Objective } from './objective.js';

/** What was measured since the last reading, of all rows. */
export interface Measured {
  readonly loss: MeterReading;
  /** By name. */
  readonly metrics: Readonly<Record<string, MetricValue>>;
}

/** Adds up the loss and the metrics of batches on the device: the metrics by a batch's rows, the loss by their weights. */
export class Measurements {
  readonly #objective: Objective;
  readonly #loss = new Meter();
  /** Of weighted batches: their weights; the loss is then added times those. */
  readonly #weights = new Meter();
  readonly #means = new Map<string, { readonly metric: Metric; readonly meter: Meter }>();
  readonly #counted = new Map<string, CountedMetric>();
  /** By what is counted in them. */
  readonly #totals = new Map<Counter, Variable>();

  constructor(objective: Objective) {
    this.#objective = objective;
    for (const [name, metric] of Object.entries(objective.metrics)) {
      if (typeof metric === 'function') {
        this.#means.set(name, { metric, meter: new Meter() });
        continue;
      }
      const { counter } = metric;
      this.#counted.set(name, metric);
      if (this.#totals.has(counter)) continue;
      const shape = counter.shape(objective.outputShape);
      this.#totals.set(counter, new Variable(`totals of ${name}`, new Uint32Array(sizeOf(shape)), shape));
    }
  }

  /** Inside a traced function: measures the output for a batch of so many rows. Returns its loss. */
  add(output: Tensor, batch: Batch | TargetBatch, rows: number): Tensor {
    const { caller, targetOf, weightsOf } = this.#objective;
    const [target, weights] = [targetOf(batch), weightsOf(batch)];
    const mixture = 'labels' in batch ? batch.probabilities : undefined;
    const loss = lossOf(this.#objective, output, mixture ?? target, weights);
    if (weights) {
      const total = sum(weights);
      this.#weights.update(total);
      this.#loss.update(multiply(loss, total));
    } else {
      this.#loss.update(loss, rows);
    }
    for (const [name, { metric, meter }] of this.#means) {
      meter.update(measure(caller, `the metric '${name}'`, metric, output, target), rows);
    }
    for (const [counter, totals] of this.#totals) count(caller, totals, counter, output, target);
    return loss;
  }

  /** Where it adds up, by name. */
  variables(): Map<string, Variable> {
    const means = [...this.#means].map(([name, { meter }]) => [name, meter.state] as const);
    return new Map([
      ['loss', this.#loss.state],
      ['weights of the loss', this.#weights.state],
      ...means,
      ...[...this.#totals.values()].map((totals) => [totals.name, totals] as const),
    ]);
  }

  /** Waits for everything queued and reads. */
  read(): Promise<Measured> {
    return this.#measured(
      (meter) => meter.read(),
      (totals) => totals.data(),
    );
  }

  /** Reads as {@link read} does, and starts afresh behind everything queued. */
  take(): Promise<Measured> {
    return this.#measured(
      (meter) => meter.take(),
      (totals) => totals.take(),
    );
  }

  async #measured(
    readingOf: (meter: Meter) => Promise<MeterReading>,
    numbersOf: (totals: Variable) => Promise<NumericArray>,
  ): Promise<Measured> {
    const [loss, weights, means, totals] = await Promise.all([
      readingOf(this.#loss),
      readingOf(this.#weights),
      Promise.all([...this.#means].map(async ([name, { meter }]) => [name, (await readingOf(meter)).mean] as const)),
      Promise.all([...this.#totals].map(async ([counter, own]) => [counter, await numbersOf(own)] as const)),
    ]);
    const countedBy = new Map(totals);
    const counted = [...this.#counted].map(([name, metric]) => {
      return [name, metric.value(countedBy.get(metric.counter) ?? [], this.#objective.outputShape)] as const;
    });
    return {
      loss: weights.updates > 0 ? { ...loss, mean: loss.mean / weights.mean } : loss,
      metrics: Object.fromEntries([...means, ...counted]),
    };
  }

  dispose(): void {
    this.#loss.dispose();
    this.#weights.dispose();
    for (const { meter } of this.#means.values()) meter.dispose();
    for (const totals of this.#totals.values()) totals.dispose();
  }
}
