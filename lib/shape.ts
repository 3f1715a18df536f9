import { ShapeError } from './errors.js';
import { show } from './options.js';

/** Sizes of a tensor's axes, outermost first (row-major). A scalar has the shape `[]`. */
export type Shape = readonly number[];

/** Number of elements: the product of the sizes; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `[2, 3]` as it is written in messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The size of an axis, which must exist. */
export function axisSize(shape: Shape, axis: number): number {
  const size = shape.at(axis);
  if (size === undefined) throw new ShapeError(`axis ${axis} of ${formatShape(shape)} does not exist`);
  return size;
}

/** Row-major strides in elements: the last axis has stride 1. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= axisSize(shape, axis);
  }
  return strides;
}

/** Throws ShapeError for what is no array, and where a size is negative or not whole. */
export function checkShape(operation: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`${operation}: a shape must be an array such as [2, 3], found ${show(shape)}`);
  }
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(
        `${operation}: a size must be a whole number of 0 or more, found ${size} in ${formatShape(shape)}`,
      );
    }
  }
}

/** The shape that two shapes broadcast to, by NumPy's rule: axes are aligned at the end, a size of 1 is repeated. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - rank + a.length] ?? 1;
    const sizeB = b[axis - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError(
        `${operation}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${sizeA} against ${sizeB}`,
      );
    }
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/** Strides with which a tensor of shape `from` is read in the shape `to`: 0 on axes that are repeated. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((size, axis) => {
    const own = axis - missing;
    return own < 0 || (from[own] === 1 && size !== 1) ? 0 : (strides[own] ?? 0);
  });
}

/** An axis counted from the end where negative, as a number from 0 to rank - 1. */
export function normalizeAxis(operation: string, axis: number, shape: Shape): number {
  const normal = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= shape.length) {
    throw new ShapeError(`${operation}: axis ${axis} does not exist in ${formatShape(shape)}`);
  }
  return normal;
}

/** Distinct axes in rising order; `undefined` and `null` mean all of them. */
export function normalizeAxes(
  operation: string,
  axes: number | readonly number[] | null | undefined,
  shape: Shape,
): number[] {
  if (axes === undefined || axes === null) return shape.map((_, axis) => axis);
  const list = typeof axes === 'number' ? [axes] : axes;
  const normal = list.map((axis) => normalizeAxis(operation, axis, shape)).sort((a, b) => a - b);
  if (new Set(normal).size !== normal.length) {
    throw new ShapeError(`${operation}: axes [${list.join(', ')}] name an axis of ${formatShape(shape)} twice`);
  }
  return normal;
}

/** A tensor as rows along one axis: [outer, C, inner], so that a row's C elements are `inner` apart. */
export function rowsAlong(shape: Shape, axis: number) {
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  return { rows: outer * inner, C: axisSize(shape, axis), inner };
}

/** Several tensors walked together: sizes of the axes, and each tensor's strides in elements. */
export interface Walk<T extends readonly Shape[] = readonly Shape[]> {
  readonly sizes: readonly number[];
  readonly strides: T;
}

/** Something for each tensor of a walk. */
export type PerTensor<T extends readonly Shape[], One> = { readonly [K in keyof T]: One };

/** What `of` makes of each tensor of a walk. */
export function eachTensor<T extends readonly Shape[], One>(
  strides: T,
  of: (strides: Shape, tensor: number) => One,
): PerTensor<T, One> {
  return strides.map(of) as PerTensor<T, One>; // map forgets how many there are
}

/**
 * The same walk over fewer axes: axes of size 1 are dropped, and neighbours are merged wherever every tensor steps
 * through them as through one axis. Index arithmetic in kernels costs a division for every axis that is left.
 */
export function collapse<const T extends readonly Shape[]>(walk: Walk<T>): Walk<PerTensor<T, Shape>> {
  const sizes: number[] = [];
  const strides: number[][] = walk.strides.map(() => []);
  walk.sizes.forEach((size, axis) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    const merges = last >= 0 && walk.strides.every((tensor, t) => strides[t]?.[last] === (tensor[axis] ?? 0) * size);
    if (merges) {
      sizes[last] = (sizes[last] ?? 1) * size;
      walk.strides.forEach((tensor, t) => strides[t]?.splice(last, 1, tensor[axis] ?? 0));
    } else {
      sizes.push(size);
      walk.strides.forEach((tensor, t) => strides[t]?.push(tensor[axis] ?? 0));
    }
  });
  return { sizes, strides: eachTensor(walk.strides, (_, tensor) => strides[tensor] ?? []) };
}

/** Calls `visit` with each tensor's element offset, in row-major order of the walk. Plain loops: for references. */
export function forEachOffset<const T extends readonly Shape[]>(
  walk: Walk<T>,
  visit: (offsets: PerTensor<T, number>, position: number) => void,
): void {
  const count = sizeOf(walk.sizes);
  const index = walk.sizes.map(() => 0);
  const offsets: number[] = walk.strides.map(() => 0);
  const current = offsets as PerTensor<T, number>; // the same numbers, as many as there are tensors
  for (let position = 0; position < count; position++) {
    visit(current, position);
    for (let axis = walk.sizes.length - 1; axis >= 0; axis--) {
      const size = walk.sizes[axis] ?? 1;
      const next = (index[axis] ?? 0) + 1;
      const wraps = next === size;
      index[axis] = wraps ? 0 : next;
      walk.strides.forEach((strides, t) => {
        const stride = strides[axis] ?? 0;
        offsets[t] = (offsets[t] ?? 0) + (wraps ? -stride * (size - 1) : stride);
      });
      if (!wraps) break;
    }
  }
}
