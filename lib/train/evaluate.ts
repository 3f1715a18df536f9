import type { LabelledData } from '../data/arrays.js';
import { checkBatchSize } from '../data/batches.js';
import { DataLoader } from '../data/data-loader.js';
import { compileIn } from '../compile.js';
import type { RunOptions } from '../run.js';
import type { Module } from '../nn/module.js';
import { accuracy } from '../ops/loss/accuracy.js';
import { softmaxCrossEntropy } from '../ops/loss/softmax-cross-entropy.js';
import { sizeOf } from '../shape.js';
import { checkOptionNames } from '../suggest.js';
import { tensor, type Tensor } from '../tensor.js';
import { ShapeError } from '../errors.js';
import { EpochSteps } from './epoch-steps.js';
import { Meter } from './meter.js';
import { prepareModel } from './prepare-model.js';

/** The loss of a batch from logits [B, C] and classes i32 [B]: a scalar, the mean over the batch. */
export type Loss = (logits: Tensor, labels: Tensor) => Tensor;

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends RunOptions {
  /** Default: {@link softmaxCrossEntropy}. */
  readonly loss?: Loss;
  /** Rows computed at once, at most: all of them where there are fewer. Default 256. */
  readonly batchSize?: number;
}

/** What {@link evaluate} finds: means over all rows. */
export interface Evaluation {
  /** Mean loss. */
  readonly loss: number;
  /** Share of the rows whose largest logit is that of their class. */
  readonly accuracy: number;
}

/** Rows computed at once where nothing is trained. */
const DEFAULT_BATCH = 256;

/** Loss and accuracy of a model on data, in evaluation mode. Throws DataError where the data do not fit the model. */
export async function evaluate(model: Module, data: LabelledData, options: EvaluateOptions = {}): Promise<Evaluation> {
  checkOptionNames('evaluate', options, ['loss', 'batchSize', 'device']);
  checkBatchSize('evaluate', options.batchSize ?? DEFAULT_BATCH);
  prepareModel(model, data, 'data', 0);
  const evaluator = new Evaluator(model, data, options);
  try {
    return await evaluator.run();
  } finally {
    evaluator.dispose();
  }
}

/** @internal Evaluation of one data set that can be repeated: its plans and the data on the device are kept. */
export class Evaluator {
  readonly #loader: DataLoader;
  readonly #loss = new Meter();
  readonly #accuracy = new Meter();
  readonly #steps: EpochSteps;

  constructor(model: Module, data: LabelledData, options: EvaluateOptions) {
    const { loss = softmaxCrossEntropy, batchSize = DEFAULT_BATCH } = options;
    this.#loader = new DataLoader(data, { batchSize, shuffle: false });
    this.#steps = new EpochSteps(
      { training: false, model },
      this.#loader,
      ({ inputs, labels }) => {
        const logits = model.forward(inputs);
        this.#loss.update(loss(logits, labels), labels.size);
        this.#accuracy.update(accuracy(logits, labels), labels.size);
      },
      options,
    );
  }

  async run(): Promise<Evaluation> {
    await this.#steps.run();
    const [loss, hits] = await Promise.all([this.#loss.take(), this.#accuracy.take()]);
    return { loss: loss.mean, accuracy: hits.mean };
  }

  dispose(): void {
    for (const owned of [this.#steps, this.#loader, this.#loss, this.#accuracy]) owned.dispose();
  }
}

/** Options of {@link predict}. */
export interface PredictOptions extends RunOptions {
  /** Rows computed at once, at most: all of them where there are fewer. Default 256. */
  readonly batchSize?: number;
}

/**
 * The outputs of a model for inputs [N, ...inputShape], in evaluation mode and in batches: [N, ..]. For probabilities
 * of a net that gives logits, `softmax(await predict(…))`. Throws ShapeError where the inputs do not fit the model.
 *
 * @param inputs a tensor, or labelled data, whose labels are not looked at
 */
export async function predict(
  model: Module,
  inputs: Tensor | Pick<LabelledData, 'inputs' | 'inputShape'>,
  options: PredictOptions = {},
): Promise<Tensor> {
  const { batchSize = DEFAULT_BATCH } = options;
  checkOptionNames('predict', options, ['batchSize', 'device']);
  checkBatchSize('predict', batchSize);
  const { shape, data } =
    'inputs' in inputs
      ? { shape: [inputs.inputs.length / sizeOf(inputs.inputShape), ...inputs.inputShape], data: inputs.inputs }
      : { shape: inputs.shape, data: await inputs.data() };
  const [count = 0, ...rest] = shape;
  if (!Number.isInteger(count)) {
    throw new ShapeError(`predict: ${data.length} numbers are no whole number of inputs [${rest.join(', ')}]`);
  }
  if (!model.isBuilt) model.build(rest);
  if (model.inputShape?.join() !== rest.join()) {
    throw new ShapeError(
      `predict: inputs [${shape.join(', ')}] for a model built for [N, ${(model.inputShape ?? []).join(', ')}]`,
    );
  }
  const columns = sizeOf(rest);
  const outputShape = [count, ...model.outputShape()];
  const outputs = new Float32Array(sizeOf(outputShape));
  const forward = compileIn({ training: false, model }, (batch) => model.forward(batch), options);
  try {
    for (let start = 0; start < count; start += batchSize) {
      const rows = Math.min(batchSize, count - start);
      const batch = tensor(data.subarray(start * columns, (start + rows) * columns), { shape: [rows, ...rest] });
      outputs.set(await (await forward(batch)).data(), (start * outputs.length) / count);
    }
  } finally {
    forward.dispose();
  }
  return tensor(outputs, { shape: outputShape });
}
