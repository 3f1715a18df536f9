import { type Callback, fit, type FitOptions, SGD, Variable } from '../../../lib/index.js';
import { clouds, net } from '../examples.js';

type Options = Partial<Pick<FitOptions, 'callbacks' | 'device' | 'optimizer'>>;

/** Trains a small model, one epoch a value: these are what the metrics `score` and `validationScore` come to. */
export async function fitScored(scores: readonly number[], options: Options, model = net(4, 0)) {
  const score = new Variable('score', new Float32Array(1), []);
  const setting: Callback = {
    onEpochBegin: ({ epoch }) => {
      score.set(Float32Array.of(scores[epoch - 1] ?? NaN));
    },
  };
  return fit(model, clouds(20, 6), {
    ...{ epochs: scores.length, batchSize: 8, seed: 3, optimizer: new SGD({ learningRate: 0.1 }) },
    validation: clouds(6, 6, 2),
    ...options,
    metrics: { score: () => score.value },
    callbacks: [setting, ...(options.callbacks ?? [])],
  });
}
