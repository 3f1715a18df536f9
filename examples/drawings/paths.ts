/** Outlines as lines through points, in a frame where a figure fills about -1 to 1: x to the right, y downwards. */
import { clamp, type Random } from '../pictures/random.js';
import { length } from '../pictures/shapes.js';

export type Point = readonly [x: number, y: number];

export interface Path {
  readonly points: readonly Point[];
  /** Whether a line leads from the last point to the first. */
  readonly isClosed: boolean;
}

/** A closed path through points. */
export function polygon(...points: readonly Point[]): Path {
  return { points, isClosed: true };
}

/** A line through points. */
export function line(...points: readonly Point[]): Path {
  return { points, isClosed: false };
}

/** A closed path around (x, y) at `radiusAt(angle)`. */
export function around(x: number, y: number, radiusAt: (angle: number) => number, count = 48): Path {
  const points = Array.from({ length: count }, (_, i): Point => {
    const angle = (2 * Math.PI * i) / count;
    return [x + radiusAt(angle) * Math.cos(angle), y + radiusAt(angle) * Math.sin(angle)];
  });
  return { points, isClosed: true };
}

export function circle(x: number, y: number, radius: number): Path {
  return around(x, y, () => radius);
}

export function ellipse(x: number, y: number, a: number, b: number): Path {
  return mapped(circle(0, 0, 1), ([u, v]) => [x + a * u, y + b * v]);
}

/** The part of a circle between two angles, in radians clockwise from +x. */
export function arc(x: number, y: number, radius: number, from: number, to: number): Path {
  const count = Math.max(2, Math.ceil(Math.abs(to - from) * 8));
  const points = Array.from({ length: count + 1 }, (_, i): Point => {
    const angle = from + ((to - from) * i) / count;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
  return { points, isClosed: false };
}

/** The rectangle with these corners. */
export function rectangle(left: number, top: number, right: number, bottom: number): Path {
  return polygon([left, top], [right, top], [right, bottom], [left, bottom]);
}

/** The same path, closed. */
export function closed({ points }: Path): Path {
  return { points, isClosed: true };
}

export function mapped({ points, isClosed }: Path, to: (point: Point) => Point): Path {
  return { points: points.map(to), isClosed };
}

/** Where a figure stands in a picture. */
export interface Placing {
  readonly x: number;
  readonly y: number;
  /** Half the size of the figure. */
  readonly scale: number;
  /** In radians, clockwise. */
  readonly angle: number;
  /** How much wider than high it is drawn. */
  readonly stretch?: number;
  /** By how much the lower edge is moved to the right, as a share of the height. */
  readonly shear?: number;
  readonly isMirrored?: boolean;
}

export function placed(path: Path, placing: Placing): Path {
  const { x, y, scale, angle, stretch = 1, shear = 0, isMirrored = false } = placing;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  return mapped(path, ([u, v]) => {
    const across = scale * stretch * ((isMirrored ? -u : u) + shear * v);
    const down = scale * v;
    return [x + cosine * across - sine * down, y + sine * across + cosine * down];
  });
}

/** Somewhere in a picture of this size, whole, with these shares of the size as scale. */
export function randomPlacing(random: Random, size: number, [least, most]: Point, mostAngle: number): Placing {
  const scale = size * random.uniform(least, most);
  const room = Math.max(size / 2 - 1.15 * scale, 0);
  return {
    x: size / 2 + random.uniform(-room, room),
    y: size / 2 + random.uniform(-room, room),
    scale,
    angle: random.uniform(-mostAngle, mostAngle),
    stretch: random.uniform(0.9, 1.1),
    shear: random.uniform(-0.12, 0.12),
  };
}

/** The segments of a path. */
export function segments({ points, isClosed }: Path): (readonly [from: Point, to: Point])[] {
  const ends = isClosed ? [...points.slice(1), ...points.slice(0, 1)] : points.slice(1);
  return ends.map((to, i) => [points[i] ?? to, to]);
}

/** Distance of a point to a segment. */
export function distanceTo([[ax, ay], [bx, by]]: readonly [Point, Point], x: number, y: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : clamp(((x - ax) * dx + (y - ay) * dy) / square, 0, 1);
  return length(x - ax - t * dx, y - ay - t * dy);
}

/** Points along a path at equal distances of about `step`. */
export function resampled(path: Path, step: number): Point[] {
  return segments(path).flatMap(([[ax, ay], [bx, by]]) => {
    const count = Math.max(1, Math.round(length(bx - ax, by - ay) / step));
    return Array.from({ length: count }, (_, i): Point => {
      const t = i / count;
      return [ax + t * (bx - ax), ay + t * (by - ay)];
    });
  });
}
