import {
  argmax,
  broadcastTo,
  concat,
  dropout,
  flatten,
  gather,
  randomUniform,
  reshape,
  slice,
  stopGradient,
  transpose,
} from '../../../../lib/index.js';
import { type Shape, sizeOf } from '../../../../lib/shape.js';
import { oneOf, type Row } from '../choice.js';

const isNoScalar = ({ rank }: { readonly rank: number }): boolean => rank > 0;

const otherShape: Row = (session, { a, variant }) => {
  const x = session.pick(a, isNoScalar);
  if (!x) return;
  const { size, shape } = x;
  const divisors = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16].filter((divisor) => size % divisor === 0);
  const d = divisors[(variant >> 2) % divisors.length] ?? 1;
  const shapes: readonly [Shape, ...Shape[]] = [
    [size],
    [d, size / d],
    [size / d, d],
    [...shape, 1],
    [...shape].reverse(),
  ];
  if (variant % 6 === 5) session.call(flatten, x);
  else session.call(reshape, x, oneOf(shapes, variant));
};

const otherOrder: Row = (session, { a, variant }) => {
  const x = session.pick(a, ({ rank }) => rank > 1);
  if (!x) return;
  const axes = x.shape.map((_, axis) => axis);
  const turn = variant % x.rank;
  if (variant % 2 === 0) session.call(transpose, x);
  else session.call(transpose, x, [...axes.slice(turn), ...axes.slice(0, turn)]);
};

const block: Row = (session, { a, b, size, variant }) => {
  const x = session.pick(a, ({ rank, size: elements }) => rank > 0 && elements > 0);
  if (!x) return;
  const start = x.shape.map((extent, axis) => (axis === variant % x.rank ? b % extent : 0));
  const end = x.shape.map((extent, axis) => {
    const first = start[axis] ?? 0;
    return axis === variant % x.rank ? first + 1 + (size % (extent - first)) : extent;
  });
  session.call(slice, x, start, end);
};

const oneBehindTheOther: Row = (session, { a, b, variant }) => {
  const x = session.pick(a, isNoScalar);
  if (!x) return;
  const axis = variant % x.rank;
  const others = x.shape.filter((_, i) => i !== axis);
  const fits = session.pick(
    b,
    ({ rank, shape }) => rank === x.rank && String(shape.filter((_, i) => i !== axis)) === String(others),
  );
  session.call(concat, variant % 3 === 0 ? [x, x] : [x, fits ?? x, x], { axis });
};

const repeated: Row = (session, { a, size, variant }) => {
  const x = session.pick(a);
  if (!x) return;
  const extent = session.size(size % 5, x.size);
  const shape = x.shape.map((has, axis) => (has === 1 && axis === variant % x.rank ? extent : has));
  session.call(broadcastTo, x, [...(variant % 2 === 0 ? [extent] : []), ...shape]);
};

const pickedRows: Row = (session, { a, b, size, variant }) => {
  const table = session.pick(a, isNoScalar);
  if (!table) return;
  const [R = 1, ...row] = table.shape;
  const count = session.size(size % 8, sizeOf(row));
  const makers = [
    () => session.integers(count, R, b),
    () => session.variableOfIntegers(count, R, b),
    () => {
      const chosen = session.pick(
        b,
        ({ rank, shape, size: elements }) => rank > 0 && elements > 0 && (shape.at(-1) ?? 1) <= R,
      );
      return chosen ? session.call(argmax, chosen) : session.integers(2, R, b);
    },
  ] as const;
  session.call(gather, table, oneOf(makers, variant)());
};

const dropped: Row = (session, { a, b, variant }) => {
  const x = session.pick(a);
  if (!x) return;
  const generator = session.generator(b);
  const probability = oneOf([0.5, 0.2, 0.75], variant);
  if (variant % 4 === 0) session.call(dropout, x, { probability, generator, stream: oneOf(['a', 'b'], b) });
  else session.call(dropout, x, { probability, generator });
};

const drawn: Row = (session, { a, b, variant }) => {
  const shape = session.pick(a)?.shape ?? [3];
  if (variant % 2 === 0) session.call(randomUniform, shape, session.generator(b));
  else session.call(randomUniform, shape, session.generator(b), 'other');
};

const stopped: Row = (session, { a }) => {
  const x = session.pick(a);
  if (x) session.call(stopGradient, x);
};

export const movingRows = {
  stopped,
  otherShape,
  otherOrder,
  block,
  oneBehindTheOther,
  repeated,
  pickedRows,
  dropped,
  drawn,
};
