import { wordsOf } from '../lib/graph/launch.js';
import type { Cost } from '../lib/graph/operation.js';
import { sizeOf } from '../lib/shape.js';
import { type Entry, specsOf } from './entry.js';

/** What the room says of the cost of a benchmark; for the rest, that of a function of single elements. */
export function costOf(entry: Entry): Cost {
  const { operation, attributes } = entry;
  const inputs = specsOf(entry);
  const tensors = [...inputs, ...operation.infer(inputs, attributes)];
  return {
    flop: Math.max(...tensors.map(({ shape }) => sizeOf(shape))),
    bytes: 4 * tensors.reduce((words, spec) => words + wordsOf(spec), 0),
    terms: 1,
    multiplyAdds: 0,
    ...operation.cost?.({ inputs, attributes }),
  };
}
