/** Files of pictures for the tests of what reads them: PNG by pngjs, JPEG by sharp. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PNG } from 'pngjs';
import sharp, { type JpegOptions, type Sharp } from 'sharp';
import type { PictureSize } from '../../lib/data/resize.js';

/** A PNG file of RGBA pixels, row by row. */
export function png(width: number, height: number, rgba: ArrayLike<number>): Buffer {
  const picture = new PNG({ width, height });
  picture.data.set(rgba);
  return PNG.sync.write(picture);
}

/** A PNG file of one opaque grey. */
export function grey(value: number, width = 2, height = 2): Buffer {
  return png(
    width,
    height,
    Array<number[]>(width * height)
      .fill([value, value, value, 255])
      .flat(),
  );
}

/** Colours that change slowly, with something fine over them, and the same nowhere: u8 [height, width, 3]. */
export function colours({ width, height }: PictureSize, seed = 0): Uint8Array {
  return Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width)), i % 3];
    return 128 + 90 * Math.sin((x * (1 + seed) + 17 * channel) / 9) * Math.cos((y + 5 * seed) / 7) + ((i * 37) % 20);
  });
}

/** A PNG file of {@link colours}. */
export function colouredPng(size: PictureSize, seed = 0): Buffer {
  const rgb = colours(size, seed);
  const rgba = Uint8Array.from({ length: (rgb.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[Math.floor(i / 4) * 3 + (i % 4)] ?? 0),
  );
  return png(size.width, size.height, rgba);
}

/** A JPEG file of {@link colours}. @param change what sharp is to do before it encodes */
export function jpeg(
  size: PictureSize,
  options: JpegOptions & { readonly seed?: number } = {},
  change: (picture: Sharp) => Sharp = (picture) => picture,
): Promise<Buffer> {
  const { seed, ...own } = options;
  const raw = { width: size.width, height: size.height, channels: 3 as const };
  return change(sharp(colours(size, seed), { raw }))
    .jpeg(own)
    .toBuffer();
}

/** Runs a test on a folder with the given files, which is removed afterwards. */
export async function withFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-pictures-'));
  try {
    for (const [path, data] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), data);
    }
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
