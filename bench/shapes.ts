import type { CaseInput, Operation } from '../lib/graph/operation.js';
import { operations } from '../lib/ops/index.js';
import { sizeOf } from '../lib/shape.js';
import type { Entry } from './entry.js';
import { fusedEntries } from './fused-entries.js';

function entriesOf(operation: Operation): Entry[] {
  if (operation.alias) return []; // nothing is computed
  const rows = Object.entries(operation.benchmarks ?? { largestCase: largestCase(operation) });
  return rows.map(([name, { inputs, attributes }]) => ({ operation, name, inputs: inputs.map(typed), attributes }));
}

/** With the element type that the fill has: integers are i32 unless the case says otherwise, a generator's state is u32. */
function typed(input: CaseInput): CaseInput {
  if (input.fill === 'state') return { ...input, dtype: 'u32' };
  const isInteger = typeof input.fill === 'object';
  return { ...input, dtype: input.dtype ?? (isInteger ? 'i32' : 'f32') };
}

/** What an operation whose room names no sizes is measured at. */
function largestCase({ name, cases }: Operation): Operation['cases'][number] {
  const elementsOf = ({ inputs }: Operation['cases'][number]): number =>
    inputs.reduce((elements, { shape }) => elements + sizeOf(shape), 0);
  const [largest] = [...cases].sort((a, b) => elementsOf(b) - elementsOf(a));
  if (!largest) throw new Error(`${name} has no cases`);
  return largest;
}

/**
 * Every benchmark, in the order of the list of operations: each operation that computes something has at least one. Fused
 * chains come last.
 */
export const entries: readonly Entry[] = [...operations.flatMap(entriesOf), ...fusedEntries()];
