import {
  accuracy,
  add,
  cast,
  dropout,
  gather,
  linear,
  matmul,
  multiply,
  Parameter,
  relu,
  softmaxCrossEntropy,
  tanh,
} from '../../../../lib/index.js';
import type { Value } from '../session.js';
import { oneOf, type Row } from '../choice.js';

const isMatrix = ({ rank }: { readonly rank: number }): boolean => rank === 2;

/** A matrix times a parameter, either of them transposed or not. */
const product: Row = (session, { a, b, size, variant }) => {
  const x = session.pick(a, isMatrix);
  if (!x) return;
  const [transposeA, transposeB] = [(variant & 1) === 1, (variant & 2) === 2];
  const K = x.shape[transposeA ? 0 : 1] ?? 1;
  const N = session.size(size, Math.max(K, x.size / K));
  const weight = session.parameter(transposeB ? [N, K] : [K, N], b, (variant & 4) === 4);
  if (transposeA || transposeB) session.call(matmul, x, weight, { transposeA, transposeB });
  else session.call(matmul, x, weight);
};

/** The product of two matrices that are there, as they fit. */
const productOfTwo: Row = (session, { a, b }) => {
  const x = session.pick(a, isMatrix);
  const [M = 1, K = 1] = x?.shape ?? [];
  const y = x && session.pick(b, ({ rank, shape }) => rank === 2 && shape.some((s) => s === M || s === K));
  if (!y || x.size * Math.max(...y.shape) > 2 ** 24) return;
  const [rows, columns] = y.shape;
  if (rows === K) session.call(matmul, x, y);
  else if (columns === K) session.call(matmul, x, y, { transposeB: true });
  else if (rows === M) session.call(matmul, x, y, { transposeA: true });
  else session.call(matmul, x, y, { transposeA: true, transposeB: true });
};

/** Products with batch axes. */
const batched: Row = (session, { a, b, size, variant }) => {
  const x = session.pick(a, ({ rank }) => rank === 3);
  const [B = 1, M = 1, K = 1] = x?.shape ?? [];
  if (!x) return;
  const N = session.size(size % 6, Math.max(x.size / K, x.size / M));
  const calls = [
    () => session.call(matmul, x, session.parameter([K, N], b, variant % 2 === 0)),
    () => session.call(matmul, x, session.parameter([B, K, N], b, variant % 2 === 0)),
    () => session.call(matmul, x, session.constant([1, N, K], b), { transposeB: true }),
    () => session.call(matmul, x, x, { transposeA: true }),
    () => session.call(matmul, session.constant([N, M], b), x),
  ] as const;
  oneOf(calls, variant >> 1)();
};

/** A dense layer with activation and dropout, or without. */
const dense: Row = (session, { a, b, size, variant }) => {
  const x = session.pick(a, ({ rank }) => rank >= 1);
  if (!x) return;
  const [K = 1] = x.shape.slice(-1);
  const N = session.size(size, Math.max(K, x.size / K));
  const isShared = (variant & 1) === 1;
  const weight = session.parameter([N, K], b, isShared);
  let y =
    (variant & 2) === 2
      ? session.call(linear, x, weight)
      : session.call(linear, x, weight, session.parameter([N], b, isShared));
  if ((variant & 4) === 4) y = session.call(oneOf([relu, tanh], variant >> 4), y);
  if ((variant & 8) === 8) session.call(dropout, y, { probability: 0.5, generator: session.generator(b) });
};

/**
 * Rows of a table times a matrix, as a net begins on data that is kept on the device. Between the two, table or row numbers
 * may take other values.
 */
const rowsTimes: Row = (session, { a, b, size, variant }) => {
  const isShared = (variant & 2) === 2;
  const table =
    (variant & 8) === 8 ? session.parameter([session.size(size), 3], b, isShared) : session.pick(a, isMatrix);
  if (!table) return;
  const [R = 1, D = 1] = table.shape;
  const count = session.size(size % 8, D);
  const rows = variant % 2 === 0 ? session.integers(count, R, b) : session.variableOfIntegers(count, R, b);
  const picked = session.call(gather, table, rows);
  if ((variant & 48) === 16 && table.variable) session.assign(table.variable, session.call(multiply, table, 0.5));
  if ((variant & 48) === 32 && rows.variable) session.assign(rows.variable, session.integers(count, R, b + 1));
  const y = session.call(
    matmul,
    picked,
    session.parameter([D, session.size(size >> 1, Math.max(D, count))], b, isShared),
  );
  if ((variant & 4) === 4) session.call(add, y, session.parameter(y.shape.slice(1), b, isShared));
};

/** A product of 16-bit floats. */
const ofHalves: Row = (session, { a, b, size, variant }) => {
  const x = session.pick(a, isMatrix);
  if (!x) return;
  const [M = 1, K = 1] = x.shape;
  const weight = session.parameter([K, session.size(size, Math.max(M, K))], b, variant % 2 === 0);
  if (variant % 3 === 0) session.call(matmul, session.call(cast, x, 'f16'), weight);
  else if (variant % 3 === 1) session.call(matmul, x, session.call(cast, weight, 'f16'));
  else session.call(matmul, session.call(cast, x, 'f16'), session.call(cast, weight, 'f16'));
};

/** Rows of a table of bytes times a matrix. */
const ofBytes: Row = (session, { b, size, variant }) => {
  const R = session.size(size);
  const D = session.size(variant % 8, R);
  const count = session.size(b % 8, D);
  const rows = session.integers(count, R, b);
  const picked = session.call(gather, session.bytes([R, D], b), rows, { scale: 1 / 256 });
  if (variant % 4 > 0)
    session.call(
      matmul,
      picked,
      session.parameter([D, session.size(size >> 1, Math.max(D, count))], b, variant % 2 === 0),
    );
};

/** A step of training as a net takes it: rows of a table, two layers, a loss with meters, and an update. */
const trained: Row = (session, { a, b, size, variant }) => {
  const table = session.pick(a, isMatrix);
  if (!table) return;
  const [R = 1, D = 1] = table.shape;
  const count = session.size(size % 8, D);
  const [H, C] = [session.size(size >> 1, Math.max(D, count)), 1 + session.size(variant % 4)];
  const isShared = variant % 2 === 0;
  const rows = session.integers(count, R, b);
  const layer = (x: Value, units: number): Value => {
    const weight = session.parameter([units, x.shape[1] ?? 1], b, isShared);
    return session.call(linear, x, weight, session.parameter([units], b, isShared));
  };
  const hidden = session.call(relu, layer(session.call(gather, table, rows), H));
  const kept =
    variant % 3 === 0 ? hidden : session.call(dropout, hidden, { probability: 0.5, generator: session.generator(b) });
  const logits = layer(kept, C);
  const classes = session.call(gather, session.integers(R, C, b), rows);
  const loss = session.call(softmaxCrossEntropy, logits, classes);
  const hits = session.call(accuracy, logits, classes);
  session.measure(0, loss);
  if (variant % 5 > 0) session.measure(1, hits);
  session.minimize(
    session.optimizer(variant >> 2),
    loss,
    [...loss.history].filter((own) => own instanceof Parameter),
  );
};

export const productRows = { ofHalves, ofBytes, trained, product, productOfTwo, batched, dense, rowsTimes };
