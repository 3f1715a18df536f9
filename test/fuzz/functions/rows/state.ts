import { mean, multiply, Parameter, reshape, sum } from '../../../../lib/index.js';
import { oneOf, type Row } from '../choice.js';
import type { Session, Value } from '../session.js';

/** A scalar that is computed from a value. */
function lossOf(session: Session, value: Value, seed: number, variant: number): Value {
  if (value.rank === 0) return value;
  const reduce = oneOf([sum, mean], variant);
  if (variant % 3 === 0) return session.call(reduce, value);
  return session.call(reduce, session.call(multiply, value, session.constant(value.shape, seed)));
}

const isParameter = (thing: unknown): thing is Parameter => thing instanceof Parameter;

/** One step of an optimizer, for some of the parameters that a value was computed with. */
const minimized: Row = (session, { a, b, variant }) => {
  const value = session.pick(a, ({ isStale, history }) => !isStale && [...history].some(isParameter));
  if (!value) return;
  const parameters = [...value.history].filter(isParameter);
  const first = b % parameters.length;
  const chosen = variant % 2 === 0 ? parameters : parameters.slice(first, first + 1);
  session.minimize(session.optimizer(variant >> 3), lossOf(session, value, b, variant), chosen);
};

/** Gradients as values; they may be given back, or computed with. */
const differentiated: Row = (session, { a, b, variant }) => {
  const value = session.pick(a, ({ isStale }) => !isStale);
  if (!value) return;
  const loss = lossOf(session, value, b, variant);
  const candidates = session.candidates(({ isStale }) => !isStale);
  const targets = [candidates[b % candidates.length], candidates[(b + 3 + (variant >> 3)) % candidates.length]];
  const chosen = new Set(targets.filter((target) => target !== undefined));
  for (const found of session.gradient(loss, [...chosen])) session.giveBack(found);
};

/** A parameter takes another value, or its own in another arrangement. */
const assigned: Row = (session, { a, b, variant }) => {
  const target = session.pick(a, ({ variable }) => isParameter(variable));
  if (!target?.variable) return;
  const { variable, size, shape } = target;
  const sameSize = session.pick(b, (value) => value.size === size && value !== target);
  const makers = [
    () => session.call(multiply, target, 0.5),
    () => (sameSize && String(sameSize.shape) !== String(shape) ? session.call(reshape, sameSize, shape) : sameSize),
    () => session.constant(shape, b),
  ] as const;
  session.assign(variable, oneOf(makers, variant)() ?? target);
};

/** A step with a value in place of the gradient. */
const stepped: Row = (session, { a, b, variant }) => {
  const target = session.pick(a, ({ variable }) => isParameter(variable));
  const direction = target && session.pick(b, ({ shape }) => String(shape) === String(target.shape));
  if (direction && isParameter(target.variable)) {
    session.step(session.optimizer(variant), target.variable, direction);
  }
};

/** A mean that is kept on the device. */
const measured: Row = (session, { a, b }) => {
  const value = session.pick(a, ({ rank }) => rank === 0);
  if (value) session.measure(b, value);
};

export const stateRows = { measured, minimized, differentiated, assigned, stepped };
