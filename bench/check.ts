import { elementAt } from '../lib/element-at.js';
import type { ArrayView, Cost, NumericArray } from '../lib/graph/operation.js';
import { sampledReference } from '../lib/graph/sampled-reference.js';
import { sizeOf } from '../lib/shape.js';
import { arrayOf } from '../lib/tensor.js';
import { differs } from '../test/support/close.js';
import { type Entry, specsOf } from './entry.js';

/** Of what takes more flop than this a sample is compared with the reference, where there is one. */
const WHOLE_FLOP = 2 ** 28;
/** Tolerances of operations hold for sums of so many terms; rounding errors of longer ones grow in proportion at most. */
const TERMS_OF_TOLERANCE = 128;

/** Compares outputs with the reference; undefined where they agree, else what is wrong in words. */
export type Check = (outputs: readonly NumericArray[]) => string | undefined;

/** Runs the operation's reference once (plain loops that accumulate in float64) and keeps what it gives. */
export function checkOf(entry: Entry, values: readonly NumericArray[], { flop, terms }: Cost): Check {
  const { operation, attributes } = entry;
  const { absolute, relative } = operation.tolerance;
  const tolerance = { absolute: absolute * Math.max(1, terms / TERMS_OF_TOLERANCE), relative };
  const inputs = specsOf(entry).map((spec, i) => ({ ...spec, data: elementAt(values, i).slice() }));
  const outputs = operation.infer(inputs, attributes).map(({ shape, dtype }, i): ArrayView => {
    const written = inputs[operation.writes?.[i] ?? -1]?.data;
    return { shape, data: written ?? arrayOf(dtype, new Float32Array(sizeOf(shape))) };
  });
  const call = { inputs, outputs, attributes };
  const sample = flop > WHOLE_FLOP ? sampledReference(operation, call) : undefined;
  if (sample) {
    const pick = (output: NumericArray | undefined): Float32Array =>
      Float32Array.from(sample.places, (place) => output?.[place] ?? NaN);
    const expected = pick(outputs[0]?.data);
    return ([output]) => differs(pick(output), expected, tolerance);
  }
  operation.reference(call);
  return (found) => {
    for (const [i, { data }] of outputs.entries()) {
      const wrong = differs(found[i] ?? new Float32Array(0), data, tolerance);
      if (wrong !== undefined) return `output ${i}: ${wrong}`;
    }
    return undefined;
  };
}
