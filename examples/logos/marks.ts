/** Two marks as companies have them, both in a ring: peaks for one, waves for the other. No company's. */
import { circle, closed, line, type Path, type Point } from '../drawings/paths.js';

/** A mark: what is printed solid, and the lines by which somebody draws it. */
export interface Mark {
  readonly name: string;
  /** The outlines of the ring: outer and inner. */
  readonly ring: readonly [outer: Path, inner: Path];
  /** What stands in it: closed outlines. */
  readonly device: readonly Path[];
  /** The lines of what stands in it. */
  readonly lines: readonly Path[];
}

const RING: Mark['ring'] = [circle(0, 0, 1), circle(0, 0, 0.84)];

/** Two peaks above a base line. */
function peaks(): Mark {
  const range: Path = line([-0.62, 0.38], [-0.26, -0.24], [-0.06, 0.06], [0.2, -0.46], [0.64, 0.38]);
  return { name: 'Summit', ring: RING, device: [closed(range)], lines: [closed(range)] };
}

/** Three waves, one below the other. */
function waves(): Mark {
  const crests = [-0.36, 0, 0.36].map((y) => {
    const half = Math.sqrt(0.52 - y * y);
    return Array.from({ length: 25 }, (_, i): Point => {
      const x = half * (i / 12 - 1);
      return [x, y - 0.1 * Math.sin(7.5 * x)];
    });
  });
  const bands = crests.map((crest): Path => {
    const above = crest.map(([x, y]): Point => [x, y - 0.085]);
    const below = crest.map(([x, y]): Point => [x, y + 0.085]).reverse();
    return closed(line(...above, ...below));
  });
  return { name: 'Tidewater', ring: RING, device: bands, lines: crests.map((crest) => line(...crest)) };
}

export const MARKS: readonly Mark[] = [peaks(), waves()];
