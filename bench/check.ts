import { elementAt } from '../lib/element-at.js';
import type { ArrayView, Attributes, Cost, NumericArray, Operation, TensorSpec } from '../lib/graph/operation.js';
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
  const sample = flop > WHOLE_FLOP ? operation.sample?.({ inputs, attributes }) : undefined;
  if (sample) {
    const given = sample.inputs.map((view, i) => ({ ...view, dtype: elementAt(inputs, i).dtype }));
    const expected = elementAt(referenceOf(operation, given, sample.attributes), 0);
    return ([output]) => {
      const picked = Float32Array.from(sample.places, (place) => output?.[place] ?? NaN);
      return differs(picked, expected, tolerance);
    };
  }
  const expected = referenceOf(operation, inputs, attributes);
  return (outputs) => {
    for (const [i, data] of expected.entries()) {
      const wrong = differs(outputs[i] ?? new Float32Array(0), data, tolerance);
      if (wrong !== undefined) return `output ${i}: ${wrong}`;
    }
    return undefined;
  };
}

function referenceOf(
  operation: Operation,
  inputs: readonly (ArrayView & TensorSpec)[],
  attributes: Attributes,
): NumericArray[] {
  const outputs = operation.infer(inputs, attributes).map(({ shape, dtype }, i): ArrayView => {
    const written = inputs[operation.writes?.[i] ?? -1]?.data;
    return { shape, data: written ?? arrayOf(dtype, new Float32Array(sizeOf(shape))) };
  });
  operation.reference({ inputs, outputs, attributes });
  return outputs.map(({ data }) => data);
}
