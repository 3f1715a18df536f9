import {
  compile,
  correctPredictions,
  DataError,
  type Device,
  divide,
  dropout,
  flatten,
  gather,
  gradient,
  linear,
  Parameter,
  relu,
  run,
  softmaxCrossEntropy,
  sqrt,
  square,
  sum,
  tensor,
  type Tensor,
  transpose,
  Variable,
} from '../../lib/index.js';
import { sizeOf } from '../../lib/shape.js';
import type { Comparison, Values } from './compare.js';
import { LoadedCase } from './loaded-case.js';
import { sgdFrom } from './optimizer.js';
import { selectRows, Stack } from './rows.js';

/** WGSL divides within 2.5 units in the last place. */
const DIVISION = { rtol: 2.5 * 2 ** -23, atol: 0 };
const EXACT = { rtol: 0, atol: 0 };

/** `mynet_data`: the floats are the bytes / 255, moved from row, column, channel to channel, row, column. */
export async function runData(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const part of loaded.names('input').filter((name) => name.endsWith('.u8'))) {
    const name = part.replace(/u8$/, 'x');
    const pixels = loaded.tensor(part);
    const result = await run(() => transpose(divide(pixels, 255), [0, 3, 1, 2]), { device });
    const got = { shape: result.shape, data: await result.data() };
    comparisons.push({ name, got, expected: loaded.values(name), ...DIVISION });
  }
  return comparisons;
}

/** `mynet_init`: the first weights come back from the device as they were; layers fit together, rows are in range. */
export async function runInit(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const parameters = parametersOf(loaded);
  const sizes = loaded.attributes.numbers('sizes');
  parameters.forEach(({ name, shape }, i) => {
    const layer = Math.floor(i / 2);
    const [output, input] = [sizes[layer + 1], sizes[layer]];
    const fits = shape[0] === output && (i % 2 === 1 || shape[1] === input);
    if (!fits)
      throw new DataError(
        `${name} has the shape [${shape.join(', ')}], which does not fit the sizes ${sizes.join(', ')}`,
      );
  });
  const { data } = loaded.values('order');
  const train = (await sibling(loaded, 'mynet_data')).values('train.labels').data.length;
  const stray = Array.from(data).find((row) => !Number.isInteger(row) || row < -1 || row >= train);
  if (stray !== undefined) throw new DataError(`order has the row ${stray} of ${train} photos`);
  const results = await run(() => parameters.map(({ value }) => value), { device });
  return Promise.all(
    results.map(async (result, i) => {
      const name = parameters[i]?.name ?? '';
      const got = { shape: result.shape, data: await result.data() };
      return { name, got, expected: loaded.values(name), ...EXACT };
    }),
  );
}

/** `mynet_run`: trains the network with the given batches and masks, and follows PyTorch step by step. */
export async function runTraining(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const { attributes } = loaded;
  const data = await sibling(loaded, 'mynet_data');
  const init = await sibling(loaded, 'mynet_init', attributes.text('net'));
  const parameters = parametersOf(init);
  const probability = attributes.number('p', 0);
  const masks = loaded.has('masks') ? loaded.values('masks') : undefined;
  if (probability > 0 && !masks) throw new DataError('a run with dropout needs the tensor masks');
  if (masks && parameters.length !== 4) throw new DataError('masks are for a network with one hidden layer');

  // The data set lives on the device; a step is given the numbers of its rows.
  const photos = new Variable('train.x', ...variableOf(data, 'train.x'));
  const labels = new Variable('train.labels', Int32Array.from(data.values('train.labels').data));
  const testPhotos = new Variable('test.x', ...variableOf(data, 'test.x'));
  const forward = (x: Tensor, mask?: Tensor): Tensor => {
    let value = flatten(x);
    for (let i = 0; i < parameters.length; i += 2) {
      const [weight, bias] = parameters.slice(i, i + 2);
      if (!weight) break;
      if (i > 0) value = relu(value);
      if (i > 0 && mask) value = dropout(value, { probability, mask });
      value = linear(value, weight, bias);
    }
    return value;
  };
  const optimizer = sgdFrom(attributes);
  const step = compile(
    (...[rows, mask]: Tensor[]) => {
      if (!rows) throw new DataError('a step needs the numbers of its rows');
      const target = gather(labels, rows);
      const logits = forward(gather(photos, rows), mask);
      const loss = softmaxCrossEntropy(logits, target);
      const gradients = gradient(loss, parameters);
      optimizer.apply(parameters, gradients);
      const named = parameters.flatMap(({ name }, i): [string, Tensor][] => {
        const found = gradients[i];
        return found
          ? [
              [`first_grad.${name}`, found],
              [`grad_norm.${name}`, sqrt(sum(square(found)))],
            ]
          : [];
      });
      return {
        loss,
        hits: sum(correctPredictions(logits, target)),
        first_logits: logits,
        ...Object.fromEntries(named),
      };
    },
    { device },
  );
  const predict = async (x: Variable): Promise<Values> => valuesOf(await run(() => forward(x.value), { device }));

  const results = new Map<string, Values>([['logits_test_before', await predict(testPhotos)]]);
  const histories = new Map<string, Stack>();
  const order = init.values('order');
  const [steps = 0, batch = 0] = order.shape;
  for (let i = 0; i < steps; i++) {
    const rows = Array.from(order.data)
      .slice(i * batch, (i + 1) * batch)
      .filter((row) => row >= 0);
    const mask = masks && maskOf(masks, i, rows.length);
    const given = [tensor(Int32Array.from(rows)), ...(mask ? [mask] : [])];
    for (const [name, result] of Object.entries(await step(...given))) {
      if (name.startsWith('first_')) {
        if (i === 0) results.set(name, await valuesOf(result));
        continue;
      }
      const history = histories.get(name) ?? new Stack([]);
      histories.set(name, history);
      history.push(await result.data());
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
    for (const name of [`final.${parameters[0]?.name}`, `first_grad.${parameters[0]?.name}`]) {
      const whole = results.get(name);
      if (whole) results.set(name, selectRows(whole, kept));
    }
  }
  step.dispose();
  optimizer.dispose();
  for (const variable of [photos, labels, testPhotos, ...parameters]) variable.dispose();
  return loaded.comparisons(results);
}

/** Weights and biases of `fc1`, `fc2` … in the order of the layers. */
function parametersOf(init: LoadedCase): Parameter[] {
  const layers = init.attributes.numbers('sizes').length - 1;
  return Array.from({ length: layers }, (_, i) => [`fc${i + 1}.weight`, `fc${i + 1}.bias`])
    .flat()
    .map((name) => new Parameter(name, ...variableOf(init, name)));
}

function variableOf(loaded: LoadedCase, name: string): [Float32Array, readonly number[]] {
  const { shape, data } = loaded.values(name);
  return [Float32Array.from(data), shape];
}

/** The first rows of a step's mask [steps, batch, units]. */
function maskOf({ shape, data }: Values, step: number, rows: number): Tensor {
  const [, batch = 0, units = 0] = shape;
  const start = step * sizeOf([batch, units]);
  return tensor(Float32Array.from(Array.from({ length: rows * units }, (_, i) => data[start + i] ?? 0)), {
    shape: [rows, units],
  });
}

async function valuesOf(result: Tensor): Promise<Values> {
  return { shape: result.shape, data: await result.data() };
}

/** Another case of the same index.json. Throws DataError where there is none. */
async function sibling(loaded: LoadedCase, op: string, name?: string): Promise<LoadedCase> {
  const found = loaded.entry.siblings.find((entry) => entry.op === op && (name === undefined || entry.name === name));
  if (!found)
    throw new DataError(`the index has no case ${op}${name === undefined ? '' : `/${name}`}, which this one needs`);
  return LoadedCase.load(found);
}
