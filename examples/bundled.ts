import { fileURLToPath } from 'node:url';
import type { BundledPictures } from '../lib/command-line/training/options.js';

/** The pictures that are drawn by examples/pictures. */
export const bundled: BundledPictures = { train: pictures('train'), test: pictures('test') };

function pictures(part: 'train' | 'test'): string {
  return fileURLToPath(new URL(`pictures/${part}`, import.meta.url));
}
