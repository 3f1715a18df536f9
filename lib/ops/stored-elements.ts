import { storedElementsWgsl } from '../generated/wgsl.js';
import type { DType } from '../graph/operation.js';
import { fillTemplate } from '../graph/template.js';

/**
 * WGSL: how a kernel reads a tensor of f32 or f16, one number or four at a time: `storedName(index)`, index counting these.
 *
 * @param name of the tensor, with a capital
 */
export function storedElementsCode(name: string, binding: number, dtype: DType, width: 1 | 4): string {
  const counts = {
    WHOLE: Number(dtype !== 'f16'),
    HALF: Number(dtype === 'f16'),
    ONE: Number(width === 1),
    FOUR: Number(width === 4),
  };
  return fillTemplate(storedElementsWgsl, counts, {
    X: name,
    BINDING: String(binding),
    Type: width === 4 ? 'vec4f' : 'f32',
  });
}
