import { type Device, fit, fromArrays, type LabelledData, myNet, SGD } from '../../lib/index.js';
import { BATCH, CLASSES, DROPOUT, HIDDEN, INPUTS, LEARNING_RATE, MOMENTUM } from '../step/workload.js';
import { type CallCounts, countCalls, countsPerStep, subtractCounts } from './call-counts.js';

/** Steps in an epoch: so many that what an epoch does besides, such as reading its loss, is little a step. */
const STEPS = 128;

/** MyNet trained by `fit`, for the host's share of a step within an epoch. */
export class FitEpochs {
  /** Steps in an epoch. */
  static readonly STEPS = STEPS;

  readonly #device: Device;
  readonly #data: LabelledData;

  constructor(device: Device) {
    this.#device = device;
    const count = STEPS * BATCH;
    const labels = Int32Array.from({ length: count }, (_, row) => row % CLASSES);
    this.#data = fromArrays(new Float32Array(count * INPUTS).fill(0.5), labels, { inputShape: [INPUTS] });
  }

  /** Milliseconds of so many epochs, after a first one that makes what all of them need. */
  async milliseconds(epochs: number): Promise<number> {
    const seconds = await this.#fit(epochs + 1);
    return seconds.slice(1).reduce((sum, value) => sum + value * 1000, 0);
  }

  /** Calls a step in an epoch after the first: those of three epochs less those of one. */
  async counts(interfaces: object): Promise<CallCounts> {
    await this.#fit(1);
    const one = await countCalls(interfaces, async () => {
      await this.#fit(1);
    });
    const three = await countCalls(interfaces, async () => {
      await this.#fit(3);
    });
    return countsPerStep(subtractCounts(three, one), 2 * STEPS);
  }

  async #fit(epochs: number): Promise<readonly number[]> {
    const model = myNet({ hidden: HIDDEN, classes: CLASSES, dropout: DROPOUT }).build([INPUTS], { seed: 1 });
    const optimizer = new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM });
    const { seconds } = await fit(model, this.#data, { epochs, batchSize: BATCH, optimizer, device: this.#device });
    for (const variable of [...model.namedVariables().values(), ...optimizer.namedVariables().values()]) {
      variable.dispose();
    }
    return seconds;
  }
}
