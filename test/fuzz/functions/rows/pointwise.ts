import {
  abs,
  add,
  clamp,
  divide,
  elu,
  equal,
  exp,
  gelu,
  hardswish,
  leakyRelu,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  reciprocal,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  subtract,
  tanh,
} from '../../../../lib/index.js';
import { oneOf, type Row } from '../choice.js';
import type { Session, Value } from '../session.js';

const FUNCTIONS = [relu, tanh, sigmoid, negate, square, abs, silu, softplus, hardswish, relu6] as const;

const activation: Row = (session, { a, variant }) => {
  const x = session.pick(a);
  if (x) session.call(oneOf(FUNCTIONS, variant), x);
};

const withOptions: Row = (session, { a, variant }) => {
  const x = session.pick(a);
  if (!x) return;
  const calls = [
    () => session.call(leakyRelu, x, { negativeSlope: oneOf([0.25, 0.5, -0.5], variant >> 3) }),
    () => session.call(elu, x, { alpha: oneOf([1, 0.5], variant >> 3) }),
    () => session.call(gelu, x),
    () => session.call(gelu, x, { approximate: 'tanh' }),
    () => session.call(clamp, x, { min: -0.5, max: oneOf([0.5, 1.25], variant >> 3) }),
    () => session.call(clamp, x, { min: 0.25 }),
    () => session.call(clamp, x, { max: 0.25 }),
  ] as const;
  oneOf(calls, variant)();
};

/** Functions that are not defined everywhere, or grow fast, of something that they take. */
const guarded: Row = (session, { a, variant }) => {
  const x = session.pick(a);
  if (!x) return;
  const calls = [
    () => session.call(exp, session.call(tanh, x)),
    () => session.call(log, session.call(add, session.call(square, x), 1)),
    () => session.call(sqrt, session.call(add, session.call(square, x), 0.5)),
    () => session.call(reciprocal, session.call(add, session.call(square, x), 1)),
  ] as const;
  oneOf(calls, variant)();
};

const BINARY = [add, multiply, subtract, maximum, minimum, equal] as const;

/** Another value that broadcasts with x: of its shape, a row of it, a column, a number, or what is there. */
function partner(session: Session, x: Value, choice: number, variant: number): Value | number {
  const isShared = variant % 2 === 0;
  const row = x.shape.slice(-1);
  const makers = [
    () => session.pick(choice, ({ shape }) => String(shape) === String(x.shape)) ?? x,
    () => session.parameter(row, choice, isShared),
    () => session.parameter(x.shape, choice, isShared),
    () => session.parameter([...x.shape.slice(0, -1), 1], choice, isShared),
    () => session.constant(x.shape, choice),
    () => session.constant(row, choice),
    () => session.pick(choice, ({ rank }) => rank === 0) ?? 0.5,
    () => oneOf([0.5, -1, 2], choice),
  ] as const;
  return oneOf(makers, variant >> 1)();
}

const binary: Row = (session, { a, b, variant }) => {
  const x = session.pick(a);
  if (!x) return;
  const y = partner(session, x, b, variant);
  const fn = oneOf(BINARY, variant >> 5);
  if (variant % 3 === 0) session.call(fn, y, x);
  else session.call(fn, x, y);
};

const quotient: Row = (session, { a, b, variant }) => {
  const x = session.pick(a);
  if (x) session.call(divide, x, session.call(add, session.call(square, partner(session, x, b, variant)), 1));
};

/** A bias, and what usually stands behind one. */
const bias: Row = (session, { a, b, variant }) => {
  const x = session.pick(a, ({ rank }) => rank === 2);
  if (!x) return;
  const shifted = session.call(add, x, session.parameter(x.shape.slice(1), b, variant % 2 === 0));
  if (variant % 3 > 0) session.call(oneOf(FUNCTIONS, variant >> 2), shifted);
};

export const pointwiseRows = { activation, withOptions, guarded, binary, quotient, bias };
