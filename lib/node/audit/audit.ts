import {
  callback,
  checkArgument,
  checkOptions,
  type OptionRule,
  type OptionRules,
  text,
  wholeNumber,
} from '../../options.js';
import { wholeOrReason } from '../pictures/image-folder.js';
import { type SplitFolders, splitFolders } from '../pictures/image-splits.js';
import { mapLimited } from '../pictures/map-limited.js';
import { listClasses } from '../pictures/picture-files.js';
import { Auditor } from './auditor.js';
import type { AuditReport } from './report.js';

/** Options of {@link audit}. */
export interface AuditOptions {
  /** Larger pictures are reported as unreadable; see {@link PictureOptions}. Default 2^26. */
  readonly maxPixels?: number;
  /** Called after every picture with how many were read so far, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

const RULES: OptionRules<AuditOptions> = { maxPixels: wholeNumber({ min: 1 }), onProgress: callback };

const SPLITS: OptionRules<SplitFolders> = { training: { ...text, required: true }, validation: text, test: text };

const SET: OptionRule = {
  expected: 'a folder, or { training, validation, test } of folders',
  accepts: (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
};

/**
 * Looks through a set of pictures for what a training would suffer from: files that cannot be read; pictures that are there
 * twice, by their pixels or by their looks, above all across the parts and under two classes; classes without pictures; odd sizes
 * and shapes. {@link auditLines} says it in words. Nothing is changed.
 *
 * Pictures look the same where their difference hashes differ in 8 of 64 bits at most, and thumbnails of 16 x 16 correlate by 0.95
 * or more: scaled, compressed, made brighter or cropped a little, not turned or mirrored. Where very many have nearly the same
 * hash (drawings on white), each is compared to about a hundred of them.
 *
 * @param set a folder with one sub-folder a class, or with train, valid and test ({@link imageSplits}); or the folders of the parts
 * @param options see {@link AuditOptions}
 * @throws OptionError where an option is unknown or out of range
 * @throws DataError where a folder is none, or has no sub-folder
 */
export async function audit(set: string | SplitFolders, options: AuditOptions = {}): Promise<AuditReport> {
  checkArgument('audit', 'the set', set, SET);
  if (typeof set !== 'string') checkOptions('audit: the set', set, SPLITS);
  checkOptions('audit', options, RULES);
  const auditor = new Auditor(typeof set === 'string' ? ((await splitFolders(set)) ?? set) : set);
  const folders = await Promise.all(
    auditor.folders.map(async (folder) => {
      const listed = await listClasses(folder);
      const inspect = auditor.inspect(folder, listed);
      return listed.files.map((file, index) => ({ folder, file, index, inspect }));
    }),
  );
  const files = folders.flat();
  let done = 0;
  await mapLimited(files, async ({ folder, file, index, inspect }) => {
    inspect(index, await wholeOrReason(folder, file, options));
    options.onProgress?.(++done, files.length);
  });
  return auditor.report();
}
