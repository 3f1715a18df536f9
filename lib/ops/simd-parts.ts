import { ceilDivide } from '../graph/launch.js';

/** About so many elements make a task: tens of microseconds of cheap work, far more than it costs to hand it out. */
const ELEMENTS_PER_PART = 65_536;
/** Parts of single elements begin at whole cache lines, which no two threads write then. */
const LINE = 16;

/** A part of `count` items from `start` on. */
export interface Part {
  readonly start: number;
  readonly count: number;
}

/** Divides items (elements, or rows of `elements` each) into parts of about equal size, one task each. */
export function partsOf(items: number, elements = 1): Part[] {
  const parts = Math.min(items, ceilDivide(items * elements, ELEMENTS_PER_PART));
  const unit = elements === 1 ? LINE : 1;
  const size = Math.max(ceilDivide(ceilDivide(items, parts), unit) * unit, 1);
  return Array.from({ length: ceilDivide(items, size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, items - i * size),
  }));
}
