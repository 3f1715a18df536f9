import {
  abs,
  add,
  argmax,
  averagePool2d,
  batchNorm,
  binaryCrossEntropyWithLogits,
  clamp,
  concat,
  conv2d,
  type Device,
  DataError,
  divide,
  dropout,
  elu,
  exp,
  flatten,
  gather,
  gelu,
  globalAveragePool,
  gradient,
  hardswish,
  layerNorm,
  leakyRelu,
  linear,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  meanSquaredError,
  min,
  minimum,
  multiply,
  negate,
  negativeLogLikelihood,
  reciprocal,
  pad,
  type PoolOptions,
  relu,
  relu6,
  reshape,
  run,
  sigmoid,
  silu,
  slice,
  softmax,
  softmaxCrossEntropy,
  softplus,
  sqrt,
  square,
  subtract,
  sum,
  tanh,
  Tensor,
  transpose,
  variance,
  Variable,
} from '../../lib/index.js';
import type { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import type { LoadedCase } from './loaded-case.js';

/** The tensors that a case gives to its operation. */
type Inputs = ReadonlyMap<string, Tensor>;
type OfOne = (inputs: Inputs, attributes: Attributes) => Tensor;
/** What is called `out`, with further results by their names. */
type Call = (inputs: Inputs, attributes: Attributes) => Tensor | readonly [Tensor, Readonly<Record<string, Tensor>>];

const unary =
  (apply: (x: Tensor) => Tensor): OfOne =>
  (inputs) =>
    apply(need(inputs, 'x'));
const binary =
  (apply: (a: Tensor, b: Tensor) => Tensor): Call =>
  (inputs) =>
    apply(need(inputs, 'a'), need(inputs, 'b'));
const along =
  (apply: (x: Tensor, options: { axis: number }) => Tensor): OfOne =>
  (inputs, attributes) =>
    apply(need(inputs, 'x'), { axis: attributes.number('dim') });
const reducing =
  (apply: typeof sum): Call =>
  (inputs, attributes) =>
    apply(need(inputs, 'x'), { axes: attributes.axes('axes'), keepDims: attributes.boolean('keepdim', false) });
const pairLoss =
  (apply: typeof meanSquaredError): Call =>
  (inputs, attributes) =>
    apply(need(inputs, 'x'), need(inputs, 'target'), { reduction: reductionOf(attributes) });

// Pictures and weights are [.., channels, height, width] in the vectors.
const channelsLast = (x: Tensor): Tensor => transpose(x, [0, 2, 3, 1]);
const channelsFirst = (x: Tensor): Tensor => transpose(x, [0, 3, 1, 2]);
const pooling =
  (apply: (x: Tensor, options: PoolOptions, attributes: Attributes) => Tensor): Call =>
  (inputs, attributes) => {
    const options = {
      size: attributes.pair('kernel'),
      stride: attributes.pair('stride'),
      padding: attributes.pair('padding'),
    };
    return channelsFirst(apply(channelsLast(need(inputs, 'x')), options, attributes));
  };

const reductionOf = (attributes: Attributes) => attributes.choice('reduction', ['mean', 'sum', 'none'], 'mean');

/** Batch normalization of [N, C, ..]; ours has the channels last. */
const batchNormOf: Call = (inputs, attributes) => {
  const x = need(inputs, 'x');
  const axes = x.shape.map((_, axis) => axis);
  const [last, back] = [
    [0, ...axes.slice(2), 1],
    [0, x.rank - 1, ...axes.slice(1, -1)],
  ];
  const running = (name: string): Variable => {
    const { origin, shape } = need(inputs, name);
    if (origin.kind !== 'constant') throw new DataError(`the input '${name}' is no data`);
    return new Variable(name, origin.data.slice(), shape);
  };
  const [runningMean, runningVariance] = [running('running_mean'), running('running_var')];
  const [weight, bias] = [inputs.get('weight'), inputs.get('bias')];
  const normalized = batchNorm(transpose(x, last), {
    ...{ runningMean, runningVariance, ...(weight && { weight }), ...(bias && { bias }) },
    ...{ training: attributes.boolean('training') },
    ...{ momentum: attributes.number('momentum'), epsilon: attributes.number('eps') },
  });
  return [transpose(normalized, back), { new_running_mean: runningMean.value, new_running_var: runningVariance.value }];
};

const activations: Readonly<Record<string, OfOne>> = {
  relu: unary(relu),
  relu6: unary(relu6),
  leaky_relu: (inputs, attributes) =>
    leakyRelu(need(inputs, 'x'), { negativeSlope: attributes.number('negative_slope') }),
  elu: (inputs, attributes) => elu(need(inputs, 'x'), { alpha: attributes.number('alpha') }),
  sigmoid: unary(sigmoid),
  tanh: unary(tanh),
  gelu: (inputs, attributes) =>
    gelu(need(inputs, 'x'), { approximate: attributes.choice('approximate', ['none', 'tanh'], 'none') }),
  silu: unary(silu),
  softplus: unary(softplus),
  hardswish: unary(hardswish),
};

/** The library's call for each operation of the vectors, with one result called `out`. */
const calls: Readonly<Record<string, Call>> = {
  linear: (inputs) => linear(need(inputs, 'x'), need(inputs, 'weight'), inputs.get('bias')),
  matmul: binary((a, b) => matmul(a, b)),

  add: binary(add),
  sub: binary(subtract),
  mul: binary(multiply),
  div: binary(divide),
  maximum: binary(maximum),
  minimum: binary(minimum),

  neg: unary(negate),
  exp: unary(exp),
  log: unary(log),
  sqrt: unary(sqrt),
  square: unary(square),
  abs: unary(abs),
  reciprocal: unary(reciprocal),
  clamp: (inputs, attributes) =>
    clamp(need(inputs, 'x'), { min: attributes.number('min', -Infinity), max: attributes.number('max', Infinity) }),

  ...activations,

  softmax: along(softmax),
  log_softmax: along(logSoftmax),

  batch_norm1d: batchNormOf,
  batch_norm2d: batchNormOf,
  layer_norm: (inputs, attributes) => {
    const [weight, bias] = [inputs.get('weight'), inputs.get('bias')];
    return layerNorm(need(inputs, 'x'), {
      axes: attributes.numbers('normalized_shape').map((_, i) => -1 - i),
      ...{ epsilon: attributes.number('eps'), ...(weight && { weight }), ...(bias && { bias }) },
    });
  },

  sum: reducing(sum),
  mean: reducing(mean),
  max: reducing(max),
  min: reducing(min),
  var: (inputs, attributes) =>
    variance(need(inputs, 'x'), {
      axes: attributes.axes('axes'),
      keepDims: attributes.boolean('keepdim', false),
      unbiased: attributes.boolean('unbiased'),
    }),
  argmax: (inputs, attributes) => argmax(need(inputs, 'x'), { axis: attributes.number('axis') }),

  reshape: (inputs, attributes) => reshape(need(inputs, 'x'), attributes.numbers('shape')),
  flatten: (inputs, attributes) => flatten(need(inputs, 'x'), { startAxis: attributes.number('start_dim') }),
  transpose: (inputs, attributes) => transpose(need(inputs, 'x'), attributes.numbers('perm')),
  // The names of the inputs say their order: a, b, c …
  concat: (inputs, attributes) => concat([...inputs.values()], { axis: attributes.number('axis') }),
  slice: (inputs, attributes) => slice(need(inputs, 'x'), attributes.numbers('start'), attributes.numbers('end')),
  embedding: (inputs) => gather(need(inputs, 'weight'), need(inputs, 'indices')),

  max_pool2d: pooling((x, options) => maxPool2d(x, options)),
  avg_pool2d: pooling((x, options, attributes) =>
    averagePool2d(x, { ...options, countIncludePad: attributes.boolean('count_include_pad', true) }),
  ),
  global_avg_pool2d: (inputs) => {
    const pooled = globalAveragePool(channelsLast(need(inputs, 'x')));
    return reshape(pooled, [...pooled.shape, 1, 1]);
  },
  pad2d: (inputs, attributes) => {
    const [top = 0, bottom = 0, left = 0, right = 0] = attributes.numbers('pad_top_bottom_left_right');
    const widths: [number, number][] = [
      [0, 0],
      [0, 0],
      [top, bottom],
      [left, right],
    ];
    return pad(need(inputs, 'x'), widths, { value: attributes.number('value', 0) });
  },
  conv2d: (inputs, attributes) =>
    channelsFirst(
      conv2d(channelsLast(need(inputs, 'x')), channelsLast(need(inputs, 'weight')), {
        bias: inputs.get('bias'),
        stride: attributes.pair('stride'),
        padding: attributes.padding(),
        dilation: attributes.pair('dilation'),
        groups: attributes.number('groups'),
      }),
    ),

  dropout: (inputs, attributes) =>
    dropout(need(inputs, 'x'), { probability: attributes.number('p'), mask: need(inputs, 'mask') }),

  cross_entropy: (inputs, attributes) => {
    const classWeights = inputs.get('weight');
    return softmaxCrossEntropy(need(inputs, 'logits'), inputs.get('labels') ?? need(inputs, 'target'), {
      reduction: reductionOf(attributes),
      labelSmoothing: attributes.number('label_smoothing', 0),
      ignoreIndex: attributes.number('ignore_index', -100),
      ...(classWeights && { classWeights }),
    });
  },
  nll_loss: (inputs, attributes) =>
    negativeLogLikelihood(need(inputs, 'log_probs'), need(inputs, 'labels'), { reduction: reductionOf(attributes) }),
  mse: pairLoss(meanSquaredError),
  bce_with_logits: pairLoss(binaryCrossEntropyWithLogits),
};

/** Whether the library has the operation. */
export function isOperation(op: string): boolean {
  return Object.hasOwn(calls, op);
}

/** What is applied to the output of a layer: an operation with the input `x`, or 'none'. Throws DataError for others. */
export function activate(x: Tensor, name: string, attributes: Attributes): Tensor {
  if (name === 'none') return x;
  const call = activations[name];
  if (!call) {
    throw new DataError(`there is no activation '${name}': expected none, ${Object.keys(activations).join(', ')}`);
  }
  return call(new Map([['x', x]]), attributes);
}

/** Runs an operation forward and, where the case has gradients to check, backward, as one graph. */
export async function runOperation(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const call = calls[loaded.entry.op];
  if (!call) throw new DataError(`the library has no operation ${loaded.entry.op}`);
  const inputs = new Map(loaded.names('input').map((name) => [name, loaded.tensor(name)]));
  const results = await run(
    () => {
      const called = call(inputs, loaded.attributes);
      const [out, others] = called instanceof Tensor ? [called, {}] : called;
      return { out, ...others, ...Object.fromEntries(gradientsOf(loaded, inputs, out)) };
    },
    { device },
  );
  const values = new Map<string, Values>();
  for (const [name, result] of Object.entries(results)) {
    values.set(name, { shape: result.shape, data: await result.data() });
  }
  return loaded.comparisons(values);
}

function gradientsOf(loaded: LoadedCase, inputs: Inputs, out: Tensor): [string, Tensor][] {
  const wanted = loaded.names('grad');
  if (wanted.length === 0) return [];
  const [upstream] = loaded.names('upstream');
  const sources = wanted.map((name) => need(inputs, name.replace(/^grad\./, '')));
  const gradients = gradient(out, sources, upstream === undefined ? undefined : loaded.tensor(upstream));
  return wanted.flatMap((name, i): [string, Tensor][] => {
    const found = gradients[i];
    return found ? [[name, found]] : [];
  });
}

function need(inputs: Inputs, name: string): Tensor {
  const found = inputs.get(name);
  if (!found) throw new DataError(`the case has no input '${name}', only ${[...inputs.keys()].join(', ')}`);
  return found;
}
