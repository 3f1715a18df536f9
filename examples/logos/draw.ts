/**
 * Draws the two marks of marks.ts: printed in many variants, to train on, and by hand, to test with. Everything follows from
 * the seed.
 */
import { join } from 'node:path';
import { writePictures } from '../drawings/folder.js';
import { ground, paper } from '../drawings/backgrounds.js';
import { brightness, type Canvas, type Colour, coloured } from '../drawings/canvas.js';
import { handDrawn } from '../drawings/hand.js';
import { placed, randomPlacing } from '../drawings/paths.js';
import { Random } from '../pictures/random.js';
import { type Mark, MARKS } from './marks.js';

/** Pixels of a side. */
const SIZE = 64;

/** Pictures of each mark. */
const COUNTS = { train: 200, test: 50 };

/** Draws train/ and test/ into a folder, each with a sub-folder a mark. */
export async function drawLogos(folder: string, seed = 0, counts = COUNTS): Promise<void> {
  const seeds = new Random(seed);
  const classes = (draw: (mark: Mark, random: Random) => Canvas) =>
    MARKS.map((mark) => ({ name: mark.name, draw: (random: Random) => draw(mark, random) }));
  await writePictures(join(folder, 'train'), classes(printed), counts.train, seeds);
  await writePictures(join(folder, 'test'), classes(byHand), counts.test, seeds);
}

/** A printed mark: solid, negative or in outlines, of any colour, size, place and turn, on any ground. */
export function printed(mark: Mark, random: Random): Canvas {
  const [ink, sheet] = contrastingColours(random);
  const canvas = ground(random, SIZE, sheet);
  const placing = randomPlacing(random, SIZE, [0.24, 0.44], 0.45);
  const [outer, inner] = mark.ring.map((path) => placed(path, placing));
  const device = mark.device.map((path) => placed(path, placing));
  if (!outer || !inner) throw new Error('a mark has a ring');
  const second: Colour = random.chance(0.3) ? coloured(random.uniform(), 0.7, brightness(ink) * 0.8 + 0.1) : ink;
  const style = random.uniform();
  if (style < 0.3) {
    canvas.fill([outer, inner], ink);
    for (const path of device) canvas.fill([path], second);
  } else if (style < 0.5) {
    canvas.fill([outer, ...device], ink);
  } else {
    const width = random.uniform(0.8, 2.6);
    canvas.stroke(outer, width, ink);
    const paths = random.chance(0.5) ? device : mark.lines.map((path) => placed(path, placing));
    for (const path of paths) canvas.stroke(path, width, second);
  }
  return canvas;
}

/** A mark drawn by hand with a pen or a pencil: wobbly, thin lines with gaps, on paper. */
export function byHand(mark: Mark, random: Random): Canvas {
  const canvas = paper(random, SIZE);
  const placing = randomPlacing(random, SIZE, [0.27, 0.42], 0.3);
  const ink = coloured(random.uniform(0.5, 1), random.uniform(0, 0.8), random.uniform(0.05, 0.35));
  const width = random.uniform(0.9, 1.9);
  const [outer] = mark.ring;
  for (const path of [outer, ...mark.lines]) {
    const own = { ...placing, x: placing.x + random.normal(), y: placing.y + random.normal() };
    const times = random.chance(0.2) ? 2 : 1; // gone over again
    for (let i = 0; i < times; i++) {
      for (const part of handDrawn(placed(path, own), random, placing.scale)) canvas.stroke(part, width, ink, 0.9);
    }
  }
  return canvas;
}

/** Two colours that are told apart by their brightness. */
function contrastingColours(random: Random): readonly [ink: Colour, sheet: Colour] {
  const dark = coloured(random.uniform(), random.uniform(0.1, 0.9), random.uniform(0.08, 0.35));
  const light = coloured(random.uniform(), random.uniform(0, 0.7), random.uniform(0.72, 0.97));
  return random.chance(0.7) ? [dark, light] : [light, dark];
}
