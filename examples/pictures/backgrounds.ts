/** What the tools lie on: each background is a height, a colour and a gloss over the plane. The unit is a picture's width. */
import { clamp, fractalNoise, hash, mix, noise, smoothstep, type Random } from './random.js';
import { length, rotate } from './shapes.js';

/** Linear red, green and blue, 1 for white. */
export type Colour = readonly [number, number, number];

export interface Background {
  /** Diffuse reflectance. */
  colour(x: number, y: number): Colour;
  /** Height of the surface; its slopes give the normal. */
  height(x: number, y: number): number;
  /** Strength of the mirrored light, and how narrow it is (a Blinn-Phong exponent). */
  readonly gloss: number;
  readonly sharpness: number;
}

/** Light rolled sheet with its brushed grain, or dark painted sheet with a fine sparkle. */
export function sheetMetal(random: Random): Background {
  const seed = random.seed();
  const angle = random.uniform(-0.5, 0.5);
  const painted = random.chance(0.4);
  const base = painted ? random.uniform(0.008, 0.025) : random.uniform(0.06, 0.18);
  const tint = colourOf(base, random.uniform(-0.06, 0.06));
  return {
    colour(x, y) {
      const [u, v] = rotate(x, y, angle);
      if (painted) {
        const speck = hash(Math.floor(x * 190), Math.floor(y * 190), seed);
        return scale(tint, 1 + 1.6 * smoothstep(0.8, 1, speck));
      }
      const grain = noise(u * 9, v * 150, seed) - 0.5 + 0.6 * (noise(u * 26, v * 300, seed + 1) - 0.5);
      const stain = fractalNoise(x * 3, y * 3, seed + 2, 3) - 0.5;
      return scale(tint, 1 + 0.2 * grain + 0.25 * stain);
    },
    height: (x, y) => 0.02 * noise(x * 3, y * 3, seed + 3),
    gloss: painted ? 0.08 : 0.12,
    sharpness: painted ? 18 : 9,
  };
}

/** Woven cloth with folds. */
export function cloth(random: Random): Background {
  const seed = random.seed();
  const angle = random.uniform(-0.6, 0.6);
  const threads = random.uniform(34, 52); // a picture's width
  const folds = random.uniform(0.01, 0.04); // height of the folds
  const tint = random.pick<Colour>([
    [0.018, 0.02, 0.03], // navy
    [0.03, 0.022, 0.018], // brown
    [0.06, 0.057, 0.057], // grey
    [0.027, 0.036, 0.06], // blue
    [0.12, 0.105, 0.085], // linen
    [0.066, 0.021, 0.018], // red
  ]);
  const weave = (x: number, y: number): number => {
    const [u, v] = rotate(x * threads, y * threads, angle);
    const over = (Math.floor(u) + Math.floor(v)) % 2 === 0; // warp and weft take turns on top
    return over ? Math.sin(Math.PI * (u - Math.floor(u))) : Math.sin(Math.PI * (v - Math.floor(v)));
  };
  return {
    colour(x, y) {
      const [u, v] = rotate(x * threads, y * threads, angle);
      const yarn = hash(Math.floor(u), Math.floor(v), seed);
      return scale(tint, 0.7 + 0.34 * weave(x, y) + 0.12 * yarn);
    },
    height(x, y) {
      const [u, v] = rotate(x, y, 1.3 * angle);
      const phase = 1.5 * v + 1.8 * noise(u * 1.6, v * 2.2, seed + 1) + 0.3 * noise(u * 5, v * 5, seed + 2);
      return folds * Math.sin(2 * Math.PI * phase) ** 3; // flat with a ridge here and there
    },
    gloss: 0.012,
    sharpness: 6,
  };
}

/** Corrugated cardboard: faint stripes, fibres, and now and then the edge of a flap. */
export function cardboard(random: Random): Background {
  const seed = random.seed();
  const angle = random.uniform(-0.5, 0.5);
  const flutes = random.uniform(26, 40); // a picture's width
  const tint = colourOf(random.uniform(0.06, 0.16), random.uniform(0.18, 0.3));
  const flapAt = random.chance(0.6) ? random.uniform(-0.2, 0.2) : 9;
  const flapAngle = angle + random.pick([0, Math.PI / 2]);
  return {
    colour(x, y) {
      const [u, v] = rotate(x, y, angle);
      const stripe = Math.sin(2 * Math.PI * flutes * v);
      const fibre = noise(u * 40, v * 160, seed) - 0.5 + (noise(u * 130, v * 50, seed + 1) - 0.5);
      const stain = fractalNoise(x * 4, y * 4, seed + 2, 2) - 0.5;
      const fromFlap = rotate(x, y, flapAngle)[1] - flapAt;
      const gap = 1 - 0.75 * smoothstep(0.008, 0.003, Math.abs(fromFlap));
      const shade = fromFlap > 0 ? 1 : mix(0.72, 0.92, clamp(-fromFlap / 0.3, 0, 1));
      return scale(tint, (1 + 0.035 * stripe + 0.14 * fibre + 0.2 * stain) * gap * shade);
    },
    height: (x, y) => 0.015 * noise(x * 4, y * 4, seed + 3),
    gloss: 0.018,
    sharpness: 5,
  };
}

/** Bubble wrap: a crumpled clear film with domes in a hexagonal grid, over a table that shows through. */
export function bubbleWrap(random: Random): Background {
  const seed = random.seed();
  const angle = random.uniform(-0.5, 0.5);
  const pitch = random.uniform(0.06, 0.085); // from bubble to bubble
  const rowPitch = (pitch * Math.sqrt(3)) / 2;
  const table = colourOf(random.uniform(0.012, 0.066), random.uniform(-0.1, 0.15));
  /** Distance from the middle of the nearest bubble in units of its radius, and how full of air it is. */
  const bubble = (x: number, y: number): [number, number] => {
    const warpX = 0.03 * noise(x * 5, y * 5, seed);
    const warpY = 0.03 * noise(x * 5, y * 5, seed + 1);
    const [u, v] = rotate(x + warpX, y + warpY, angle);
    let nearest = Infinity;
    let air = 0;
    const middleRow = Math.round(v / rowPitch);
    for (let row = middleRow - 1; row <= middleRow + 1; row++) {
      const shift = row % 2 === 0 ? 0 : 0.5;
      const column = Math.round(u / pitch - shift);
      const distance = length(u - (column + shift) * pitch, v - row * rowPitch) / (0.44 * pitch);
      if (distance < nearest) {
        nearest = distance;
        air = hash(column, row, seed + 2);
      }
    }
    return [nearest, air < 0.15 ? 0.1 : 0.4 + 0.6 * air]; // some have burst
  };
  return {
    colour(x, y) {
      const [distance] = bubble(x, y);
      const rim = smoothstep(0.4, 0.1, Math.abs(distance - 0.95));
      const haze = 0.6 + 0.8 * fractalNoise(x * 4, y * 4, seed + 3, 2);
      const [r, g, b] = scale(table, haze);
      const film = 0.011 + 0.03 * rim * haze; // what the clear film scatters
      return [r + film, g + film, b + 1.05 * film];
    },
    height(x, y) {
      const [distance, air] = bubble(x, y);
      const dome = (1 - Math.min(distance * distance, 1)) ** 0.75;
      const crease = Math.abs(2 * fractalNoise(x * 3.5, y * 3.5, seed + 4, 2) - 1);
      return 0.2 * pitch * air * dome + 0.05 * crease;
    },
    gloss: 0.25,
    sharpness: 24,
  };
}

/** Grey of a lightness, made warmer (redder) by a positive and cooler by a negative warmth. */
function colourOf(lightness: number, warmth: number): Colour {
  return [lightness * (1 + warmth), lightness, lightness * (1 - 1.3 * warmth)];
}

export function scale(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}
