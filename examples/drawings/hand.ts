/** Lines as somebody draws them by hand, who has seen the figure once. */
import { noise, type Random } from '../pictures/random.js';
import { type Path, type Point, resampled } from './paths.js';

/**
 * A path, in units of pixels, drawn by hand: the line wobbles, is left out in places, and does not end where it began.
 *
 * @param size of the figure in pixels
 */
export function handDrawn(path: Path, random: Random, size: number): Path[] {
  const seed = random.seed();
  const wobble = size * random.uniform(0.02, 0.05);
  const waves = random.uniform(5, 9) / size; // of the wobble, in a pixel
  const points = resampled(path, 1.5).map(([x, y], i): Point => {
    const at = i * 1.5 * waves;
    return [x + wobble * (2 * noise(at, 0.5, seed) - 1), y + wobble * (2 * noise(at, 9.5, seed) - 1)];
  });
  if (path.isClosed) {
    // Begun anywhere, and ended a little before the beginning or beyond it.
    const start = Math.floor(random.uniform(0, points.length));
    const turned = [...points.slice(start), ...points.slice(0, start)];
    const beyond = Math.round(points.length * random.uniform(-0.08, 0.06));
    points.splice(
      0,
      points.length,
      ...(beyond < 0 ? turned.slice(0, beyond) : [...turned, ...turned.slice(0, beyond)]),
    );
  }
  return withGaps(points, random);
}

/** Parts of a line, where the pen was lifted now and then. */
function withGaps(points: readonly Point[], random: Random): Path[] {
  const parts: Path[] = [];
  let from = 0;
  while (from < points.length - 1) {
    const drawn = Math.max(3, Math.round(random.uniform(12, 70)));
    parts.push({ points: points.slice(from, from + drawn), isClosed: false });
    from += drawn + (random.chance(0.6) ? Math.round(random.uniform(0, 3)) : 0);
  }
  return parts.filter((part) => part.points.length > 1);
}
