import { ShapeError } from '../errors.js';
import type { DType } from './operation.js';

/** Throws ShapeError for a type that an operation does not take, naming both. */
export function expectF32(operation: string, dtype: DType | undefined): void {
  if (dtype === 'f32') return;
  const advice = dtype === 'f16' || dtype === 'u8' ? `: cast it first, cast(x, 'f32')` : '';
  throw new ShapeError(`${operation}: expected f32, found ${dtype ?? 'nothing'}${advice}`);
}
