/** Draws ten things in scenes, of any size, place, colour and turn. Everything follows from the seed. */
import { join } from 'node:path';
import { ground, scene } from '../drawings/backgrounds.js';
import { type Canvas, coloured } from '../drawings/canvas.js';
import { writePictures } from '../drawings/folder.js';
import { circle, mapped, placed, polygon, randomPlacing } from '../drawings/paths.js';
import { Random } from '../pictures/random.js';
import { type DrawObject, OBJECTS } from './objects.js';

/** Pixels of a side. */
const SIZE = 64;

/** Pictures of each thing. */
const COUNTS = { train: 80, test: 20 };

/** Draws train/ and test/ into a folder, each with a sub-folder a thing. */
export async function drawObjects(folder: string, seed = 0, counts = COUNTS): Promise<void> {
  const seeds = new Random(seed);
  const classes = Object.entries(OBJECTS).map(([name, object]) => ({
    name,
    draw: (random: Random) => drawObject(object, random),
  }));
  await writePictures(join(folder, 'train'), classes, counts.train, seeds);
  await writePictures(join(folder, 'test'), classes, counts.test, seeds);
}

/** A thing in a scene or on a ground, with a few blots that mean nothing. */
function drawObject(object: DrawObject, random: Random): Canvas {
  const plain = coloured(random.uniform(), random.uniform(0.1, 0.5), random.uniform(0.6, 0.95));
  const canvas = random.chance(0.6) ? scene(random, SIZE) : ground(random, SIZE, plain);
  for (let blots = Math.floor(random.uniform(0, 4)); blots > 0; blots--) drawBlot(canvas, random);
  const placing = { ...randomPlacing(random, SIZE, [0.26, 0.45], 0.4), isMirrored: random.chance(0.5) };
  for (const { paths, colour, width } of object(random)) {
    const own = paths.map((path) => placed(path, placing));
    if (width === undefined) canvas.fill(own, colour);
    else for (const path of own) canvas.stroke(path, width * placing.scale, colour);
  }
  return canvas;
}

function drawBlot(canvas: Canvas, random: Random): void {
  const [x, y, radius] = [random.uniform(0, SIZE), random.uniform(0, SIZE), random.uniform(2, 7)];
  const colour = coloured(random.uniform(), random.uniform(0.2, 0.8), random.uniform(0.3, 0.8));
  const shape = random.chance(0.5) ? circle(0, 0, 1) : polygon([-1, 0.7], [0.2, -1], [1, 0.8]);
  canvas.fill([mapped(shape, ([u, v]) => [x + radius * u, y + radius * v])], colour, 0.7);
}
