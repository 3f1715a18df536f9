import { attributesText } from '../../../graph/operation.js';
import type { KernelVariant } from '../../../graph/launch.js';
import type { Step } from '../../../graph/program.js';
import type { Shape } from '../../../shape.js';

/** What a choice depends on beside the operation: the adapter and what was asked of it. */
export interface TunedAdapter {
  /** Name of adapter and driver. */
  readonly description: string;
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
}

/** The adapter's part of a key: its name, and a hash of its features and limits. */
export function adapterKey({ description, features, limits }: TunedAdapter): string {
  // Limits are getters of the prototype.
  const names = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits) as object)).sort();
  const values = names.map((name) => `${name} ${String(Reflect.get(limits, name))}`);
  return `${description} #${hashOf([...features].sort().join() + values.join())}`;
}

/**
 * What a choice is remembered by: adapter, operation, attributes, types, shapes rounded to buckets, and a hash of the
 * kernels that there were to choose from.
 */
export function choiceKey(adapter: string, step: Step, variants: readonly KernelVariant[]): string {
  const { operation, attributes, inputs } = step;
  const kernels = variants.flatMap(({ name, launches }) => [
    name,
    ...launches.flatMap(({ kernel, constants }) => [kernel.code, kernel.entryPoint, attributesText(constants ?? {})]),
  ]);
  const shapes = inputs.map(({ dtype, shape }) => `${dtype}[${bucketOf(shape)}]`);
  return [
    adapter,
    operation.name + attributesText(attributes),
    shapes.join(' '),
    `#${hashOf(kernels.join('\n'))}`,
  ].join(' | ');
}

/**
 * Sizes up to 16 as they are, larger ones rounded up to two leading bits and a half (20, 24, 28, 32, 40, ...), with a star
 * where they are multiples of 4 and vectors can be loaded.
 */
export function bucketOf(shape: Shape): string {
  return shape
    .map((size) => {
      if (size <= 16) return String(size);
      const step = 2 ** (Math.floor(Math.log2(size - 1)) - 2);
      return `${Math.ceil(size / step) * step}${size % 4 === 0 ? '*' : ''}`;
    })
    .join();
}

/** FNV-1a over the UTF-16 units of a text, twice from different starts: 64 bits, as hexadecimal. */
function hashOf(text: string): string {
  return [0x811c9dc5, 0x9747b28c]
    .map((start) => {
      let hash = start;
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
      return (hash >>> 0).toString(16).padStart(8, '0');
    })
    .join('');
}
