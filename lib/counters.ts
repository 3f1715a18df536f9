import { elementAt } from './element-at.js';
import { apply } from './graph/node.js';
import { requireTrace, type Trace } from './graph/trace.js';
import { advance, MAX_STATES } from './ops/state/advance.js';
import { tensor } from './tensor.js';
import type { Variable } from './variable.js';

/** A counter that moves on when everything else in a trace has run. */
export interface Counter {
  /** Where it lives (u32). */
  readonly state: Variable;
  /** Which word of the state counts. */
  readonly word: number;
  /** Where it starts again, the word before it counting the rounds; default 0: it does not. */
  readonly limit?: number;
  /** The rows of a data loader's next batch (i32), and whether they are shuffled: they are drawn when it moves on. */
  readonly rows?: Variable;
  readonly shuffle?: boolean;
}

interface Move extends Counter {
  by: number;
}

/** What moves on at the end of a trace: counters, and steps of the parameters of optimizers, by their states. */
interface Moves {
  readonly counters: Map<Variable, Move>;
  readonly steps: Map<Variable, Uint32Array>;
}

const movesOf = new WeakMap<Trace, Moves>();

/**
 * Lets a counter move on by `by` more at the end of the trace, where all counters of a step move in one operation.
 * Returns by how much it is to move already, from earlier calls in the same trace.
 */
export function moveAtEnd(counter: Counter, by: number): number {
  const move = moveOf(counter);
  move.by += by;
  return move.by - by;
}

/** Lets a counter move on by 1 at the end of the trace, however often this is called in it. */
export function moveOnceAtEnd(counter: Counter): void {
  moveOf(counter).by = 1;
}

/**
 * Lets the state of an optimizer (lib/ops/update/optimizer-state.ts) move on at the end of the trace, and its parameters by
 * the steps that stand there by then.
 */
export function moveStepsAtEnd(state: Variable, steps: Uint32Array): void {
  currentMoves().steps.set(state, steps);
}

function moveOf(counter: Counter): Move {
  const { counters } = currentMoves();
  const move = counters.get(counter.state) ?? { ...counter, by: 0 };
  counters.set(counter.state, move);
  return move;
}

function currentMoves(): Moves {
  const trace = requireTrace('moving a counter');
  const moves = movesOf.get(trace) ?? { counters: new Map<Variable, Move>(), steps: new Map<Variable, Uint32Array>() };
  movesOf.set(trace, moves);
  trace.atEnd(movesOf, () => {
    recordMoves(moves);
  });
  return moves;
}

/** One operation for up to four counters, of which the first one may draw rows, and the state of one optimizer. */
function recordMoves({ counters, steps }: Moves): void {
  const drawing = [...counters.values()].filter(({ rows }) => rows);
  const plain = [...counters.values()].filter(({ rows }) => !rows);
  const optimizers = [...steps];
  while (drawing.length + plain.length + optimizers.length > 0) {
    const first = drawing.splice(0, 1);
    recordMove([...first, ...plain.splice(0, MAX_STATES - first.length)], optimizers.shift());
  }
}

function recordMove(
  moves: readonly Move[],
  optimizer: readonly [state: Variable, steps: Uint32Array] | undefined,
): void {
  const { rows, shuffle = false } = moves[0] ?? {};
  const targets = [...moves.map(({ state }) => state), ...(rows ? [rows] : []), ...(optimizer ? [optimizer[0]] : [])];
  const steps = tensor(optimizer?.[1] ?? new Uint32Array(0));
  const moved = apply(advance, [steps, ...targets.map(({ value }) => value)], {
    words: moves.map(({ word }) => word),
    by: moves.map(({ by }) => by),
    limits: moves.map(({ limit = 0 }) => limit),
    rows: !rows ? 'none' : shuffle ? 'shuffled' : 'inOrder',
  });
  targets.forEach((target, i) => {
    target.update(elementAt(moved, i));
  });
}
