import type { Attributes, CaseInput, Operation } from '../lib/graph/operation.js';
import { operations } from '../lib/ops/index.js';
import { type Shape, sizeOf } from '../lib/shape.js';
import type { Entry } from './entry.js';
import { fusedEntries } from './fused-entries.js';
import { matmulRows } from './matmul-shapes.js';

/** A row of the table: fills and attributes that are left out are those of the operation's first case. */
interface Row {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly attributes?: Attributes;
  readonly fills?: readonly (CaseInput['fill'] | undefined)[];
}

/** Elements of the vectors: 2^20, 4 MiB. */
const VECTOR: Shape = [1_048_576];
/** Hidden layer of MyNet, a batch of 32. */
const HIDDEN: Shape = [32, 200];
/** The weight of MyNet's first layer, and the state of an optimizer of two parameters. */
const DENSE_1: Shape = [200, 2352];
const OPTIMIZER: Shape = [6];
/** A batch of 8 pictures at ImageNet's size. */
const IMAGES: Shape = [8, 3, 224, 224];
/** Logits of ImageNet's classes, and eight tokens over GPT-2's vocabulary. */
const IMAGENET: Shape = [256, 1000];
const VOCABULARY: Shape = [8, 50_257];
const STATE = 'state';
const UNWEIGHTED = { weighted: false, ignoreIndex: -100 };
const RANDOM: Row = {
  name: 'vector',
  shapes: [[4]],
  attributes: { shape: VECTOR, stream: 7, use: 0 },
  fills: [STATE],
};

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  add: [
    { name: 'vector', shapes: [VECTOR, VECTOR] },
    { name: 'mynetBias', shapes: [HIDDEN, [200]] },
    { name: 'resnetBias', shapes: [[3136, 256], [256]] },
  ],
  multiply: [
    { name: 'vector', shapes: [VECTOR, VECTOR] },
    {
      name: 'outer',
      shapes: [
        [1024, 1],
        [1, 1024],
      ],
    },
  ],
  relu: [
    { name: 'vector', shapes: [VECTOR] },
    { name: 'mynetHidden', shapes: [HIDDEN] },
  ],
  softmax: [
    { name: 'mynetLogits', shapes: [[32, 2]], attributes: { axis: 1 } },
    { name: 'imagenet', shapes: [IMAGENET], attributes: { axis: 1 } },
    { name: 'vocabulary', shapes: [VOCABULARY], attributes: { axis: 1 } },
  ],
  logSoftmax: [{ name: 'imagenet', shapes: [IMAGENET], attributes: { axis: 1 } }],
  sum: [
    { name: 'all', shapes: [VECTOR], attributes: { axes: [0], scale: 1 } },
    { name: 'mynetBiasGradient', shapes: [HIDDEN], attributes: { axes: [0], scale: 1 } },
    { name: 'rows', shapes: [[1024, 1024]], attributes: { axes: [1], scale: 1 } },
    { name: 'columns', shapes: [[1024, 1024]], attributes: { axes: [0], scale: 1 } },
  ],
  max: [{ name: 'rows', shapes: [[1024, 1024]], attributes: { axes: [1], scale: 1 }, fills: ['normal'] }],
  min: [{ name: 'rows', shapes: [[1024, 1024]], attributes: { axes: [1], scale: 1 }, fills: ['normal'] }],
  argmax: [{ name: 'imagenet', shapes: [IMAGENET], attributes: { axis: 1 }, fills: ['normal'] }],
  transpose: [
    { name: 'matrix', shapes: [[1024, 1024]], attributes: { permutation: [1, 0] } },
    { name: 'imagesToChannelsLast', shapes: [IMAGES], attributes: { permutation: [0, 2, 3, 1] } },
  ],
  concat: [
    {
      name: 'channels',
      shapes: [
        [3136, 256],
        [3136, 64],
      ],
      attributes: { axis: 1 },
      fills: ['normal', 'normal'],
    },
  ],
  slice: [{ name: 'crop', shapes: [[1024, 1024]], attributes: { start: [64, 64], end: [960, 960] } }],
  sliceGradient: [{ name: 'crop', shapes: [[896, 896]], attributes: { start: [64, 64], shape: [1024, 1024] } }],
  broadcastTo: [{ name: 'rows', shapes: [[1024]], attributes: { shape: [1024, 1024] } }],
  gather: [
    { name: 'mynetBatch', shapes: [[440, 2352], [32]], fills: ['normal', { below: 440 }] },
    { name: 'embedding', shapes: [[50_257, 64], [4096]], fills: ['normal', { below: 50_257 }] },
  ],
  gatherGradient: [
    {
      name: 'embedding',
      shapes: [[512, 64], [512]],
      attributes: { shape: [1000, 64] },
      fills: ['normal', { below: 1000 }],
    },
  ],
  dropout: [
    {
      name: 'mynetHidden',
      shapes: [HIDDEN, [4]],
      attributes: { probability: 0.5, stream: 7, use: 0 },
      fills: ['normal', STATE],
    },
    {
      name: 'vector',
      shapes: [VECTOR, [4]],
      attributes: { probability: 0.5, stream: 7, use: 0 },
      fills: ['normal', STATE],
    },
  ],
  randomUniform: [RANDOM],
  randomNormal: [RANDOM],
  softmaxCrossEntropy: [
    crossEntropy('mynetLogits', [32, 2], []),
    crossEntropy('imagenet', IMAGENET, []),
    crossEntropy('vocabulary', VOCABULARY, []),
  ],
  softmaxCrossEntropyGradient: [
    crossEntropy('mynetLogits', [32, 2], [[32]]),
    crossEntropy('imagenet', IMAGENET, [[256]]),
    crossEntropy('vocabulary', VOCABULARY, [[8]]),
  ],
  softmaxCrossEntropyLoss: [
    crossEntropy('mynetLogits', [32, 2], [], { mean: true }),
    crossEntropy('digits', [256, 10], [], { mean: true }),
  ],
  negativeLogLikelihood: [
    {
      name: 'imagenet',
      shapes: [IMAGENET, [256], [1]],
      attributes: UNWEIGHTED,
      fills: ['normal', { below: 1000 }, 'positive'],
    },
  ],
  negativeLogLikelihoodGradient: [
    {
      name: 'imagenet',
      shapes: [[256], [1], [256]],
      attributes: { ...UNWEIGHTED, classes: 1000 },
      fills: [{ below: 1000 }, 'positive', 'normal'],
    },
  ],
  correctPredictions: [
    { name: 'imagenet', shapes: [IMAGENET, [256]], attributes: {}, fills: ['normal', { below: 1000 }] },
  ],
  sgdUpdate: [{ name: 'mynetDense1', shapes: [DENSE_1, DENSE_1, OPTIMIZER] }],
  sgdMomentumUpdate: [{ name: 'mynetDense1', shapes: [DENSE_1, DENSE_1, DENSE_1, OPTIMIZER] }],
  adamUpdate: [{ name: 'mynetDense1', shapes: [DENSE_1, [2 * sizeOf(DENSE_1)], DENSE_1, OPTIMIZER] }],
  assign: [{ name: 'vector', shapes: [VECTOR, VECTOR] }],
  copy: [{ name: 'vector', shapes: [VECTOR] }],
};

/** Operations of one element after another: their first case has inputs of one shape, and so has the benchmark. */
function isElementwise({ cases }: Operation): boolean {
  return cases.some(
    ({ inputs }) => inputs.length > 0 && inputs.every(({ shape }) => shape.length === 1 && shape[0] === 1),
  );
}

function crossEntropy(name: string, [N = 0, C = 0]: Shape, more: readonly Shape[], attributes: Attributes = {}): Row {
  return {
    name,
    shapes: [[N, C], [N], [1], ...more],
    attributes: { labelSmoothing: 0, ignoreIndex: -100, weighted: false, ...attributes },
    fills: ['normal', { below: C }, 'positive', 'normal'],
  };
}

function entriesOf(operation: Operation): Entry[] {
  if (operation.alias) return []; // nothing is computed
  if (operation.name === 'matmul') return matmulRows.map((row) => ({ operation, ...row }));
  const rows = ROWS[operation.name] ?? (isElementwise(operation) ? [vectorRow(operation)] : undefined);
  return rows?.map((row) => fromRow(operation, row)) ?? [largestCase(operation)];
}

function vectorRow({ cases }: Operation): Row {
  return { name: 'vector', shapes: (cases[0]?.inputs ?? []).map(() => VECTOR) };
}

function fromRow(operation: Operation, { name, shapes, attributes, fills }: Row): Entry {
  const first = operation.cases[0];
  const inputs = shapes.map((shape, i) => {
    const { fill = 'normal', dtype } = first?.inputs[i] ?? {};
    return typed({ shape, fill: fills?.[i] ?? fill, ...(dtype === undefined ? {} : { dtype }) });
  });
  return { operation, name, inputs, attributes: attributes ?? first?.attributes ?? {} };
}

/** With the element type that the fill has: integers are i32 unless the case says otherwise, a generator's state is u32. */
function typed(input: CaseInput): CaseInput {
  if (input.fill === 'state') return { ...input, dtype: 'u32' };
  const isInteger = typeof input.fill === 'object';
  return { ...input, dtype: isInteger ? (input.dtype ?? 'i32') : 'f32' };
}

/** What an operation without a row of its own is measured at. */
function largestCase(operation: Operation): Entry {
  const sizeOfCase = ({ inputs }: Operation['cases'][number]): number =>
    inputs.reduce((elements, { shape }) => elements + sizeOf(shape), 0);
  const largest = [...operation.cases].sort((a, b) => sizeOfCase(b) - sizeOfCase(a))[0];
  return {
    operation,
    name: 'largestCase',
    inputs: (largest?.inputs ?? []).map(typed),
    attributes: largest?.attributes ?? {},
  };
}

/**
 * Every benchmark, in the order of the list of operations: each operation that computes something has at least one. Fused
 * chains come last.
 */
export const entries: readonly Entry[] = [...operations.flatMap(entriesOf), ...fusedEntries()];
