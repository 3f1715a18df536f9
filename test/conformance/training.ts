import {
  compile,
  correctPredictions,
  DataError,
  type Device,
  gather,
  gradient,
  run,
  softmaxCrossEntropy,
  sum,
  tensor,
  type Tensor,
  Variable,
} from '../../lib/index.js';
import type { Comparison, Values } from './compare.js';
import type { LoadedCase } from './loaded-case.js';
import { Network } from './network.js';
import { optimizerFrom } from './optimizer.js';
import { picturesOf } from './pictures.js';
import { batchesOf, euclideanNorm, selectRows, Stack, valuesOf } from './rows.js';
import { sibling } from './sibling.js';

/** `mynet_run`: trains the network with the given batches and masks, and follows PyTorch step by step. */
export async function runTraining(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const { attributes } = loaded;
  const data = await sibling(loaded, 'mynet_data');
  const init = await sibling(loaded, 'mynet_init', attributes.text('net'));
  const network = new Network(init, attributes);
  const { parameters } = network;
  const probability = attributes.number('p', 0);
  const masks = loaded.has('masks') ? loaded.values('masks') : undefined;
  if (probability > 0 && !masks) throw new DataError('a run with dropout needs the tensor masks');

  // The data set lives on the device; a step is given the numbers of its rows.
  const photos = variableOf('train.x', picturesOf(data, 'train'));
  const labels = new Variable('train.labels', Int32Array.from(data.values('train.labels').data));
  const testPhotos = variableOf('test.x', picturesOf(data, 'test'));
  const optimizer = optimizerFrom(attributes);
  const step = compile(
    (...[rows, mask]: Tensor[]) => {
      if (!rows) throw new DataError('a step needs the numbers of its rows');
      const target = gather(labels, rows);
      const logits = network.forward(gather(photos, rows), mask && { probability, mask });
      const loss = softmaxCrossEntropy(logits, target);
      const gradients = gradient(loss, parameters);
      optimizer.apply(parameters, gradients);
      return [loss, sum(correctPredictions(logits, target)), logits, ...gradients];
    },
    { device },
  );
  const predict = async (x: Variable): Promise<Values> =>
    valuesOf(await run(() => network.forward(x.value), { device }));

  const results = new Map<string, Values>([['logits_test_before', await predict(testPhotos)]]);
  const histories = new Map(
    ['loss', 'hits', ...parameters.map(({ name }) => `grad_norm.${name}`)].map((name) => [name, new Stack([])]),
  );
  for (const [i, rows] of batchesOf(init.values('order')).entries()) {
    const given = [tensor(Int32Array.from(rows)), ...(masks ? [maskOf(masks, i, rows.length)] : [])];
    const [loss, hits, logits, ...gradients] = await Promise.all((await step(...given)).map(valuesOf));
    if (!loss || !hits || !logits) throw new Error('a step has three results and the gradients');
    histories.get('loss')?.push(loss.data);
    histories.get('hits')?.push(hits.data);
    if (i === 0) results.set('first_logits', logits);
    for (const [p, { name }] of parameters.entries()) {
      const found = gradients[p];
      if (!found) continue;
      histories.get(`grad_norm.${name}`)?.push([euclideanNorm(found.data)]);
      if (i === 0) results.set(`first_grad.${name}`, found);
    }
  }
  for (const [name, history] of histories) results.set(name, history.values());
  results.set('logits_test', await predict(testPhotos));
  results.set('logits_train', await predict(photos));
  for (const parameter of parameters) {
    results.set(`final.${parameter.name}`, { shape: parameter.shape, data: await parameter.data() });
  }
  if (loaded.has('rows')) {
    // Of the first layer's weights the file holds these rows only.
    const { data: kept } = loaded.values('rows');
    for (const name of ['final.fc1.weight', 'first_grad.fc1.weight']) {
      const whole = results.get(name);
      if (whole) results.set(name, selectRows(whole, kept));
    }
  }
  step.dispose();
  optimizer.dispose();
  for (const variable of [photos, labels, testPhotos, ...parameters]) variable.dispose();
  return loaded.comparisons(results);
}

function variableOf(name: string, { shape, data }: Values): Variable {
  return new Variable(name, Float32Array.from(data), shape);
}

/** The first rows of a step's mask [steps, batch, units]. */
function maskOf({ shape, data }: Values, step: number, rows: number): Tensor {
  const [, batch = 0, units = 0] = shape;
  const start = step * batch * units;
  const mask = Float32Array.from({ length: rows * units }, (_, i) => data[start + i] ?? NaN);
  return tensor(mask, { shape: [rows, units] });
}
