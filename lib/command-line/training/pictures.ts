import { type LabelledData, type PictureSize, splitByClass } from '../../index.js';
import { Auditor } from '../../node/audit/auditor.js';
import { auditLines } from '../../node/audit/lines.js';
import { readSplits, type SplitFolders, splitFolders } from '../../node/pictures/image-splits.js';
import type { ImageFolderOptions, PictureLayout } from '../../node/index.js';
import type { TrainingOptions } from './options.js';

/** The pictures of a training. */
export interface TrainingPictures {
  readonly training: LabelledData;
  readonly validation: LabelledData;
  readonly test: LabelledData | undefined;
  /** Where they come from: those held out of an undivided folder from the one for training. */
  readonly folders: SplitFolders;
}

/**
 * Reads all pictures before anything is trained, so that a broken one shows at once, and says what stands out about them. A folder
 * that is divided (train, valid, test) gives its own parts; of one that is not, a share of each class is held out.
 *
 * @param say is given what the audit has found, line by line
 */
export async function readTrainingPictures(
  options: Pick<TrainingOptions, 'data' | 'test' | 'validationSplit' | 'seed' | 'audit' | 'verbose'>,
  how: Pick<ImageFolderOptions, 'onProgress'> & { readonly size: PictureSize; readonly layout: PictureLayout },
  say: (line: string) => void,
): Promise<TrainingPictures> {
  const divided = await splitFolders(options.data);
  const folders: SplitFolders = {
    ...(divided ?? { training: options.data }),
    ...(options.test !== undefined && { test: options.test }),
  };
  const auditor = options.audit ? new Auditor(folders) : undefined;
  const { training, validation, test } = await readSplits(
    folders,
    { ...how, dtype: 'u8' },
    auditor && ((folder, listed) => auditor.inspect(folder, listed)),
  );
  if (auditor) for (const line of auditLines(auditor.report(), { verbose: options.verbose })) say(line);
  if (validation) return { training, validation, test, folders };
  return { ...splitByClass(training, { validation: options.validationSplit, seed: options.seed }), test, folders };
}
