/** What drawings stand on. */
import { fractalNoise, type Random } from '../pictures/random.js';
import { blend, Canvas, type Colour, coloured } from './canvas.js';

/** A plain, shaded, striped, chequered or cloudy ground around a colour. */
export function ground(random: Random, size: number, colour: Colour): Canvas {
  const other = blend(colour, coloured(random.uniform(), random.uniform(0, 0.6), random.uniform(0.3, 0.8)), 0.3);
  const angle = random.uniform(0, 2 * Math.PI);
  const [cosine, sine] = [Math.cos(angle) / size, Math.sin(angle) / size];
  const along = (x: number, y: number): number => cosine * (x - size / 2) + sine * (y - size / 2); // about -0.7 to 0.7
  const across = (x: number, y: number): number => cosine * y - sine * x;
  const [bands, seed] = [random.uniform(3, 9), random.seed()];
  const isOdd = (value: number): boolean => Math.abs(Math.floor(value)) % 2 === 1;
  const shares: readonly [(x: number, y: number) => number, ...((x: number, y: number) => number)[]] = [
    () => 0,
    (x, y) => 0.5 + 0.7 * along(x, y),
    (x, y) => Number(isOdd(bands * along(x, y))),
    (x, y) => Number(isOdd(bands * along(x, y)) !== isOdd(bands * across(x, y))),
    (x, y) => fractalNoise((bands * x) / size, (bands * y) / size, seed, 3),
  ];
  const share = random.pick(shares);
  return new Canvas(size, (x, y) => blend(colour, other, share(x, y)));
}

/** Paper: white or yellowish, blank, ruled or squared, with uneven light. */
export function paper(random: Random, size: number): Canvas {
  const sheet = coloured(random.uniform(0.08, 0.16), random.uniform(0, 0.5), random.uniform(0.8, 0.97));
  const ink = coloured(random.uniform(0.5, 0.7), 0.4, 0.6);
  const [spacing, offset, seed] = [size * random.uniform(0.11, 0.2), random.uniform(0, size), random.seed()];
  const [isRuled, isSquared] = [random.chance(0.4), random.chance(0.5)];
  const isOnLine = (value: number): boolean => (value + offset) % spacing < 1;
  const fall = random.uniform(0, 0.25);
  return new Canvas(size, (x, y) => {
    const onLine = isRuled && (isOnLine(y) || (isSquared && isOnLine(x)));
    const light = 1 - fall * fractalNoise((2 * x) / size, (2 * y) / size, seed, 2);
    const [red, green, blue] = onLine ? blend(sheet, ink, 0.35) : sheet;
    return [light * red, light * green, light * blue];
  });
}

/** A scene: sky above, ground below, a horizon and some blots of other colours. */
export function scene(random: Random, size: number): Canvas {
  const horizon = size * random.uniform(0.45, 0.8);
  const sky = coloured(random.uniform(0.5, 0.65), random.uniform(0.2, 0.8), random.uniform(0.6, 0.9));
  const floor = coloured(random.uniform(0.05, 0.4), random.uniform(0.15, 0.55), random.uniform(0.25, 0.6));
  const seed = random.seed();
  return new Canvas(size, (x, y) => {
    const hills = horizon + 0.12 * size * (fractalNoise((3 * x) / size, 0.5, seed, 2) - 0.5);
    const cloud = fractalNoise((4 * x) / size, (6 * y) / size, seed + 7, 3);
    if (y < hills) return blend(sky, [1, 1, 1], 0.5 * Math.max(cloud - 0.4, 0) + (0.35 * y) / size);
    return blend(floor, [0, 0, 0], 0.5 * (fractalNoise(x / 3, y / 2, seed + 9, 2) - 0.3));
  });
}
