import { elementAt } from '../element-at.js';
import { sizeOf } from '../shape.js';
import { arrayOf } from '../tensor.js';
import type { ArrayView, Attributes, Operation, ReferenceCall, SampledElements } from './operation.js';

/**
 * Runs the reference of an operation for a few elements of its first output, spread over it, where all of them would take
 * too long: the others stay as they are ({@link rightPlaces}). Undefined, and nothing is computed, where the operation has no
 * sample.
 */
export function sampledReference<A extends Attributes>(
  operation: Pick<Operation<A>, 'sampledReference' | 'sample' | 'infer' | 'reference'>,
  { inputs, outputs, attributes }: ReferenceCall<A>,
): SampledElements | undefined {
  if (operation.sampledReference) return operation.sampledReference({ inputs, outputs, attributes });
  const sample = operation.sample?.({ inputs, attributes });
  if (!sample) return undefined;
  const specs = sample.inputs.map(({ shape }) => ({ shape, dtype: 'f32' as const }));
  const small = operation
    .infer(specs, sample.attributes)
    .map(({ shape, dtype }): ArrayView => ({ shape, data: arrayOf(dtype, new Float32Array(sizeOf(shape))) }));
  operation.reference({ inputs: sample.inputs, outputs: small, attributes: sample.attributes });
  const [from, to] = [elementAt(small, 0).data, elementAt(outputs, 0).data];
  sample.places.forEach((place, i) => (to[place] = elementAt(from, i)));
  return { of: to.length, places: sample.places };
}

/**
 * Where an output of so many elements has right ones, by a sample. Outputs of fewer elements than the sample is of are right
 * everywhere; others have as many parts of them as they hold, such as the slots of an optimizer, each of whole vec4s.
 */
export function rightPlaces({ of, places }: SampledElements, length: number): (place: number) => boolean {
  if (length < of) return () => true;
  const part = length % of === 0 ? of : 4 * Math.ceil(of / 4);
  const sampled = new Set(places);
  return (place) => sampled.has(place % part);
}
