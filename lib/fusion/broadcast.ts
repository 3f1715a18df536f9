import { collapse, broadcastStrides, type Shape, sizeOf } from '../shape.js';

/** One axis of a tensor, as seen from the places of another tensor's elements: (place / inner) % size · stride. */
export interface Axis {
  readonly inner: number;
  readonly size: number;
  readonly stride: number;
}

/**
 * Where a tensor that is broadcast to some shape lies for each place in it, counted row-major: the sum over these axes,
 * innermost last. It says nothing of the shape's own axes, so that a reshape of the places changes nothing.
 */
export type Broadcast = readonly Axis[];

/** The broadcast of a tensor that broadcasts to a shape. */
export function broadcastOf(from: Shape, to: Shape): Broadcast {
  const { sizes, strides } = collapse({ sizes: to, strides: [broadcastStrides(from, to)] });
  return sizes
    .map((size, axis) => ({ inner: sizeOf(sizes.slice(axis + 1)), size, stride: strides[0][axis] ?? 0 }))
    .filter(({ stride }) => stride !== 0);
}

/** Whether there is one element for each of `count` places, in order. */
export function isWhole(broadcast: Broadcast, count: number): boolean {
  const [axis] = broadcast;
  if (!axis) return count === 1;
  return broadcast.length === 1 && axis.inner === 1 && axis.stride === 1 && axis.size === count;
}

/** Where the element for a place lies. */
export function offsetAt(broadcast: Broadcast, place: number): number {
  return broadcast.reduce((offset, { inner, size, stride }) => offset + (Math.floor(place / inner) % size) * stride, 0);
}

/** Sizes of axes, outermost first, along each of which all broadcasts go evenly; undefined where there are none. */
export function commonAxes(broadcasts: readonly Broadcast[], count: number): number[] | undefined {
  const borders = [
    ...new Set([
      1,
      count,
      ...broadcasts.flatMap((broadcast) => broadcast.flatMap(({ inner, size }) => [inner, inner * size])),
    ]),
  ].sort((a, b) => b - a);
  const sizes = borders.slice(0, -1).map((border, i) => border / (borders[i + 1] ?? 1));
  return sizes.every(Number.isInteger) ? sizes : undefined;
}

/** How far a broadcast goes for one step along an axis of `inner` elements. */
export function strideAlong(broadcast: Broadcast, inner: number): number {
  const axis = broadcast.find((own) => own.inner <= inner && inner < own.inner * own.size);
  return axis ? axis.stride * (inner / axis.inner) : 0;
}
