/**
 * The two tools, as signed distance functions: distance(x, y) is negative inside an outline, positive outside, and its
 * absolute value is the distance to the outline (after I. Quilez, "2D distance functions"; where outlines are united or
 * cut the value is a bound, which is as good for drawing).
 *
 * Both tools lie in the same frame: the centre of the head at the origin, the handle along +x to x = 1.
 */
import { clamp, hash, mix, smoothstep, type Random } from './random.js';

/** What the top of a tool is like at a point. */
export interface Relief {
  /** Height of the surface in units of the tool's length; slopes of it give the normal. */
  readonly height: number;
  /** Steel is bright and mirrors its surroundings; the screw of the hinge is oxidised black. */
  readonly material: 'steel' | 'screw';
}

export interface Tool {
  /** Signed distance to the tool's outline. */
  distance(x: number, y: number): number;
  relief(x: number, y: number): Relief;
}

/** A steel edge is rounded over this distance, and as high. */
const BEVEL = 0.02;

/**
 * A hook wrench: a flat handle with a hole at its end; from its other end a neck follows a circle around the origin,
 * where the round nut would lie, to a hinge, and from the hinge a hook goes on around the circle and ends in a tooth.
 */
export function hookWrench(random: Random): Tool {
  const radius = random.uniform(0.122, 0.14); // of the circle
  const halfWidth = random.uniform(0.046, 0.055); // of the handle
  const neckHalfWidth = random.uniform(0.036, 0.042);
  const hingeAngle = random.uniform(1.55, 1.85);
  const tipAngle = hingeAngle + random.uniform(1.6, 1.9);
  const swing = random.uniform(-0.3, 0.15); // of the hook about the hinge; negative opens it
  const hingeX = radius * Math.cos(hingeAngle);
  const hingeY = radius * Math.sin(hingeAngle);
  const holeX = 1 - halfWidth;
  const lettering = random.seed();

  const body = (x: number, y: number): number => {
    const shaft = capsule(x, y, radius + 0.03, holeX, halfWidth);
    const shoulder = box(x - radius - 0.05, y, 0.06, halfWidth) - 0.006;
    const neck = taperedArc(x, y, radius, -0.2, hingeAngle, neckHalfWidth + 0.008, neckHalfWidth);
    const united = smoothMinimum(Math.min(shaft, shoulder), neck, 0.03);
    const nut = length(x, y) - (radius - neckHalfWidth - 0.006);
    const hole = length(x - holeX, y) - halfWidth * 0.48;
    return Math.max(united, -nut, -hole);
  };
  const hook = (x: number, y: number): number => {
    const [u, v] = rotate(x - hingeX, y - hingeY, -swing);
    const boss = length(u, v) - neckHalfWidth - 0.01;
    const arc = taperedArc(u + hingeX, v + hingeY, radius, hingeAngle, tipAngle, 0.035, 0.024);
    const [along, across] = rotate(u + hingeX, v + hingeY, -tipAngle);
    const tooth = box(along - radius + 0.018, across, 0.036, 0.016) - 0.004;
    return Math.min(boss, arc, tooth);
  };

  return {
    distance: (x, y) => Math.min(body(x, y), hook(x, y)),
    relief(x, y) {
      const fromScrew = length(x - hingeX, y - hingeY) - 0.033;
      if (fromScrew < 0) {
        const slot = Math.abs(rotate(x - hingeX, y - hingeY, swing * 7)[1]) < 0.005 ? 0.006 : 0;
        return { height: BEVEL + 0.008 + rounded(fromScrew) - slot, material: 'screw' };
      }
      const panel = capsule(x, y, radius + 0.12, holeX - halfWidth * 1.6, halfWidth * 0.62);
      const bodyHeight = rounded(body(x, y)) - sunk(panel) + letters(x, y, panel, lettering);
      const hookHeight = rounded(hook(x, y)) + 0.006; // it lies on the neck
      return { height: hook(x, y) < 0 ? Math.max(hookHeight, bodyHeight) : bodyHeight, material: 'steel' };
    },
  };
}

/** A spanner wrench (combination spanner): an open jaw at one end of the handle, set at 15°, and a ring at the other. */
export function spannerWrench(random: Random): Tool {
  const headRadius = random.uniform(0.122, 0.142);
  const jawHalfWidth = headRadius * random.uniform(0.42, 0.5);
  const jawAngle = Math.PI + random.pick([-1, 1]) * random.uniform(0.2, 0.3);
  const halfWidth = random.uniform(0.036, 0.045); // of the handle
  const ringRadius = random.uniform(0.08, 0.094);
  const ringX = 1 - ringRadius;
  const lettering = random.seed();

  const distance = (x: number, y: number): number => {
    const shank = box(x - ringX / 2, y, ringX / 2, mix(halfWidth, halfWidth * 0.85, clamp(x, 0, 1)));
    const [along, across] = rotate(x, y, -jawAngle);
    const head = Math.max(length(along, across * 0.94) - headRadius, along - headRadius * 0.84);
    const ring = length(x - ringX, y) - ringRadius;
    const jaw = box(along - 0.25, across, 0.25 - jawHalfWidth * 0.1, jawHalfWidth * 0.75) - jawHalfWidth * 0.25;
    const teeth = 1 + 0.05 * Math.cos(12 * Math.atan2(y, x - ringX));
    const bore = length(x - ringX, y) - ringRadius * 0.64 * teeth;
    const united = smoothMinimum(smoothMinimum(shank, head, 0.07), ring, 0.035);
    return Math.max(united, -jaw, -bore);
  };

  return {
    distance,
    relief(x, y) {
      const panel = capsule(x, y, headRadius + 0.12, ringX - ringRadius - 0.08, halfWidth * 0.55);
      const collar = 0.008 * smoothstep(0.02, 0, length(x - ringX, y) - ringRadius + 0.02); // the ring stands proud
      const height = rounded(distance(x, y)) + collar - sunk(panel) + letters(x, y, panel, lettering);
      return { height, material: 'steel' };
    },
  };
}

/** Height of a plate with rounded edges, at a signed distance from its outline: a quarter circle, then flat. */
function rounded(distance: number): number {
  const t = clamp(-distance / BEVEL, 0, 1);
  return BEVEL * Math.sqrt(1 - (1 - t) ** 2);
}

/** Depth of the forged panel in a handle. */
function sunk(panel: number): number {
  return 0.008 * smoothstep(0.007, -0.009, panel);
}

/** Height of raised lettering in the middle of the panel: strokes at random, as it is too small to read. */
function letters(x: number, y: number, panel: number, seed: number): number {
  const inMiddle = x > 0.5 && x < 0.66 && panel < -0.012;
  if (!inMiddle) return 0;
  const column = Math.floor(x / 0.01);
  return column % 3 !== 0 && hash(column, Math.floor(y / 0.014), seed) < 0.6 ? 0.0018 : 0;
}

/** Distance to the segment from (from, 0) to (to, 0), rounded by `radius`. */
function capsule(x: number, y: number, from: number, to: number, radius: number): number {
  return length(x - clamp(x, from, to), y) - radius;
}

/** Distance to the box of half sides a and b around the origin. */
function box(x: number, y: number, a: number, b: number): number {
  const dx = Math.abs(x) - a;
  const dy = Math.abs(y) - b;
  return length(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0);
}

/** Distance to an arc about the origin, whose half width goes from `startHalfWidth` to `endHalfWidth` along it. */
function taperedArc(
  x: number,
  y: number,
  radius: number,
  start: number,
  end: number,
  startHalfWidth: number,
  endHalfWidth: number,
): number {
  const middle = (start + end) / 2;
  const [u, v] = rotate(x, y, -middle); // so that the jump of atan2 lies opposite the arc
  const angle = clamp(middle + Math.atan2(v, u), start, end);
  const halfWidth = mix(startHalfWidth, endHalfWidth, (angle - start) / (end - start));
  return length(x - radius * Math.cos(angle), y - radius * Math.sin(angle)) - halfWidth;
}

/** The minimum of two distances, with the corner between the outlines filled over a length k (Quilez, quadratic). */
function smoothMinimum(a: number, b: number, k: number): number {
  const h = Math.max(k - Math.abs(a - b), 0) / k;
  return Math.min(a, b) - (h * h * k) / 4;
}

/** Length of the vector (x, y): several times faster than Math.hypot, which guards against an overflow that cannot occur. */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

/** The point turned about the origin, counterclockwise. */
export function rotate(x: number, y: number, angle: number): [number, number] {
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  return [cosine * x - sine * y, sine * x + cosine * y];
}
