import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../pictures/random.js';
import type { Canvas } from './canvas.js';

/** A class of drawings, and how one of them is made. */
export interface DrawnClass {
  readonly name: string;
  readonly draw: (random: Random) => Canvas;
}

/** Standard deviation of the noise, in levels of 255. */
const NOISE = 3;

/**
 * Writes so many pictures of each class into sub-folders, over those of a run before: from the same seeds the same bytes.
 *
 * @param seeds gives the seed of each picture
 */
export async function writePictures(
  folder: string,
  classes: readonly DrawnClass[],
  count: number,
  seeds: Random,
): Promise<void> {
  for (const { name, draw } of classes) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 1; i <= count; i++) {
      const random = new Random(seeds.seed());
      const bytes = draw(random).png(random, NOISE);
      await writeFile(join(folder, name, `${name.toLowerCase()}_${String(i).padStart(3, '0')}.png`), bytes);
    }
  }
}
