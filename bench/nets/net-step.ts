import {
  compile,
  DataLoader,
  type Device,
  fromArrays,
  loadState,
  Meter,
  mobileNetV2,
  type Module,
  type Plan,
  resnet50,
  SGD,
  softmaxCrossEntropy,
} from '../../lib/index.js';
import { NET_CLASSES, type NetDescription, type NetName } from './description.js';
import { CHANNELS, makeNetWorkload, NET_LEARNING_RATE, NET_MOMENTUM } from './workload.js';

/** The library's own models of the nets; nothing is dropped, so that losses can be compared. */
const MODELS: Readonly<Record<NetName, () => Module>> = {
  mobilenet: () => mobileNetV2({ classes: NET_CLASSES, dropout: 0 }),
  resnet50: () => resnet50({ classes: NET_CLASSES }),
};

/** The training step of a convolutional net as `fit` makes it, over a data set on the device: what the benchmarks time. */
export class NetStep {
  /** What is compiled: the operations of a step. */
  readonly record: () => void;
  readonly #device: Device;
  readonly #loss = new Meter();
  readonly #step;
  readonly #owned: readonly { dispose(): void }[];

  constructor(device: Device, net: NetDescription) {
    this.#device = device;
    const { pictureSize, batch, name } = net;
    const inputShape = [pictureSize, pictureSize, CHANNELS];
    const work = makeNetWorkload(net);
    const model = MODELS[name]().build(inputShape);
    const tensors = Array.from(
      work.parameters,
      ([of, { shape, data }]) => [of, { dtype: 'F32', shape, data }] as const,
    );
    const { extra } = loadState(model, { tensors: new Map(tensors) }, { strict: false });
    if (extra.length > 0) throw new Error(`the model has no ${extra.join(', ')}`);
    model.train();
    const data = fromArrays(work.pictures, work.labels, { inputShape });
    const loader = new DataLoader(data, { batchSize: batch, shuffle: false });
    const optimizer = new SGD({ learningRate: NET_LEARNING_RATE, momentum: NET_MOMENTUM });
    this.record = () => {
      const { inputs, labels } = loader.next();
      const value = softmaxCrossEntropy(model.forward(inputs), labels);
      optimizer.minimize(value, model.parameters());
      this.#loss.update(value, labels.size);
    };
    this.#step = compile(this.record, { device });
    this.#owned = [this.#step, loader, model, optimizer, this.#loss];
  }

  /** Trains on the batches in turn, many steps a submit, and reads the loss after every `readEvery`; waits for the device. */
  async run(steps: number, readEvery = Infinity): Promise<void> {
    for (let done = 0; done < steps; done += readEvery) {
      await this.#step.repeat(Math.min(readEvery, steps - done));
      if (done + readEvery <= steps) await this.#readLoss();
    }
    await this.#device.finished();
  }

  /** The loss of each of the next steps. */
  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      await this.#step();
      losses.push(await this.#readLoss());
    }
    return losses;
  }

  /** What the step was compiled to. */
  plans(): readonly Plan[] {
    return this.#step.plans();
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }

  async #readLoss(): Promise<number> {
    return (await this.#loss.take()).mean;
  }
}
