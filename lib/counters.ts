import { apply } from './graph/node.js';
import { requireTrace, type Trace } from './graph/trace.js';
import { advance, MAX_STATES } from './ops/state/advance.js';
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

/** The counters of each trace, in the order in which they were first moved. */
const movesOf = new WeakMap<Trace, Map<Variable, Move>>();

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

function moveOf(counter: Counter): Move {
  const trace = requireTrace('moving a counter');
  const moves = movesOf.get(trace) ?? new Map<Variable, Move>();
  movesOf.set(trace, moves);
  trace.atEnd(movesOf, () => {
    recordMoves([...moves.values()]);
  });
  const move = moves.get(counter.state) ?? { ...counter, by: 0 };
  moves.set(counter.state, move);
  return move;
}

/** One operation for up to four counters, of which the first one may draw rows. */
function recordMoves(moves: readonly Move[]): void {
  const drawing = moves.filter(({ rows }) => rows);
  const plain = moves.filter(({ rows }) => !rows);
  while (drawing.length + plain.length > 0) {
    const first = drawing.splice(0, 1);
    recordMove([...first, ...plain.splice(0, MAX_STATES - first.length)]);
  }
}

function recordMove(moves: readonly Move[]): void {
  const { rows, shuffle = false } = moves[0] ?? {};
  const targets = [...moves.map(({ state }) => state), ...(rows ? [rows] : [])];
  const moved = apply(
    advance,
    targets.map(({ value }) => value),
    {
      words: moves.map(({ word }) => word),
      by: moves.map(({ by }) => by),
      limits: moves.map(({ limit = 0 }) => limit),
      rows: !rows ? 'none' : shuffle ? 'shuffled' : 'inOrder',
    },
  );
  targets.forEach((target, i) => {
    const next = moved[i];
    if (next) target.update(next);
  });
}
