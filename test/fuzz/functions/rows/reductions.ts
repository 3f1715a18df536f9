import {
  accuracy,
  add,
  argmax,
  binaryCrossEntropyWithLogits,
  cast,
  correctPredictions,
  gather,
  logSoftmax,
  max,
  mean,
  meanSquaredError,
  min,
  multiply,
  negativeLogLikelihood,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  subtract,
  sum,
  variance,
} from '../../../../lib/index.js';
import { oneOf, type Row } from '../choice.js';
import type { Session, Value } from '../session.js';

const reduced: Row = (session, { a, variant }) => {
  const x = session.pick(a);
  if (!x) return;
  const fn = oneOf(x.size > 0 ? [sum, mean, max, min, variance] : [sum], variant);
  const axes = x.shape.map((_, axis) => axis).filter((axis) => ((variant >> 4) & (1 << axis)) > 0);
  if (axes.length === 0) session.call(fn, x);
  else if (variant % 2 === 0) session.call(fn, x, { axes, keepDims: true });
  else session.call(fn, x, { axes: axes.length === 1 ? (axes[0] ?? 0) : axes });
};

const normalized: Row = (session, { a, variant }) => {
  const x = session.pick(a, ({ rank }) => rank > 0);
  if (x) session.call(oneOf([softmax, logSoftmax], variant), x, { axis: oneOf([-1, 0], variant >> 1) });
};

/** Positions, and arithmetic with them: whole numbers. */
const position: Row = (session, { a, variant }) => {
  const x = session.pick(a, ({ rank, size }) => rank > 0 && size > 0);
  if (!x) return;
  const found = session.call(argmax, x);
  const makers = [
    () => found,
    () => session.call(add, found, found),
    () => session.call(multiply, found, session.integers(found.shape.at(-1) ?? 1, 9, variant)),
    () => session.call(sum, found),
    () => session.call(max, session.call(subtract, found, session.integers(1, 5, variant))),
  ] as const;
  session.call(cast, oneOf(makers, variant)(), 'f32');
};

/** Classes for the rows of logits: as they are, or picked from a table. */
function classesFor(session: Session, logits: Value, seed: number, variant: number): Value {
  const [N = 1, C = 1] = logits.shape;
  if (variant % 3 === 0) return session.integers(N, C, seed);
  const labels = variant % 3 === 1 ? session.variableOfIntegers(2 * N, C, seed) : session.integers(2 * N, C, seed);
  const classes = session.call(gather, labels, session.integers(N, 2 * N, seed + 1));
  if (variant % 4 === 0 && labels.variable) session.assign(labels.variable, session.integers(2 * N, C, seed + 1));
  return classes;
}

/** A loss of logits and classes; perhaps with the accuracy beside it. */
const classLoss: Row = (session, { a, b, variant }) => {
  const logits = session.pick(a, ({ rank, shape }) => rank === 2 && shape[1] !== 0);
  if (!logits) return;
  const classes = classesFor(session, logits, b, variant);
  if ((variant & 8) === 8) session.call(accuracy, logits, classes);
  if ((variant & 16) === 16) session.call(correctPredictions, logits, classes);
  const reduction = oneOf(['mean', 'sum', 'none'], variant >> 5);
  if (variant % 7 === 0) {
    session.call(negativeLogLikelihood, session.call(logSoftmax, logits), classes, { reduction });
  } else if (variant % 7 === 1) {
    const classWeights = session.call(sigmoid, session.constant(logits.shape.slice(1), b));
    session.call(softmaxCrossEntropy, logits, classes, { reduction, classWeights });
  } else if (variant % 7 === 2) {
    session.call(softmaxCrossEntropy, logits, classes, { reduction, labelSmoothing: 0.25, ignoreIndex: 0 });
  } else {
    session.call(softmaxCrossEntropy, logits, classes);
  }
};

/** A loss of two tensors of one shape. */
const valueLoss: Row = (session, { a, b, variant }) => {
  const x = session.pick(a, ({ rank }) => rank > 0);
  if (!x) return;
  const reduction = oneOf(['mean', 'sum', 'none'], variant >> 1);
  const target = session.pick(b, ({ shape }) => String(shape) === String(x.shape)) ?? session.constant(x.shape, b);
  if (variant % 2 === 0) session.call(meanSquaredError, x, target, { reduction });
  else
    session.call(binaryCrossEntropyWithLogits, x, session.call(sigmoid, session.constant(x.shape, b)), { reduction });
};

/** Rows [N, C] of probabilities as targets. */
const probabilityLoss: Row = (session, { a, b, size }) => {
  const logits = session.pick(a, ({ rank, shape }) => rank === 2 && shape[1] !== 0);
  if (!logits) return;
  const target = session.call(softmax, session.constant(logits.shape, b));
  session.call(softmaxCrossEntropy, logits, target, { labelSmoothing: size % 4 === 0 ? 0.5 : 0 });
};

export const reductionRows = { reduced, normalized, position, classLoss, valueLoss, probabilityLoss };
