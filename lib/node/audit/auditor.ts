import { basename } from 'node:path';
import { compareCodePoints } from '../../io/code-points.js';
import { printable } from '../../printable.js';
import type { WholePicture } from '../pictures/decoded-picture.js';
import type { Inspect } from '../pictures/image-folder.js';
import type { SplitFolders, SplitName } from '../pictures/image-splits.js';
import type { PictureFiles } from '../pictures/picture-files.js';
import { samePictures } from './duplicates.js';
import { type Fingerprint, fingerprintOf } from './fingerprint.js';
import { oddities, type Traits, traitsOf } from './oddities.js';
import type {
  AuditedPicture,
  AuditReport,
  DuplicateGroup,
  OddPicture,
  SizeCount,
  UnreadablePicture,
} from './report.js';

/** A part of the set, and what is known of its pictures so far. */
interface Part {
  readonly name: SplitName | 'all';
  readonly folder: string;
  /** What files are called by: the part's folder, where there are several. */
  readonly prefix: string;
  listed: PictureFiles | undefined;
  readonly seen: Map<number, Seen | string>;
}

/** What is kept of a picture that was read. */
interface Seen extends Traits {
  readonly print: Fingerprint;
}

/** Gathers what pictures are like while they are read, and then tells what stands out. */
export class Auditor {
  readonly #parts: readonly Part[];

  /** @param folders one folder, or those of the parts */
  constructor(folders: string | SplitFolders) {
    const parts: [SplitName | 'all', string][] =
      typeof folders === 'string'
        ? [['all', folders]]
        : (['training', 'validation', 'test'] as const).flatMap((name): [SplitName, string][] => {
            const folder = folders[name];
            return folder === undefined ? [] : [[name, folder]];
          });
    const names = parts.map(([, folder]) => basename(folder));
    const areDistinct = new Set(names).size === names.length;
    this.#parts = parts.map(([name, folder]) => ({
      name,
      folder,
      prefix: parts.length === 1 ? '' : `${areDistinct ? basename(folder) : folder}/`,
      listed: undefined,
      seen: new Map(),
    }));
  }

  /** The folders of the parts. */
  get folders(): readonly string[] {
    return this.#parts.map(({ folder }) => folder);
  }

  /** What is to be given the pictures of a folder. */
  inspect(folder: string, listed: PictureFiles): Inspect {
    const part = this.#parts.find((other) => other.folder === folder);
    if (!part) throw new Error(`${folder} is no part of what is audited`);
    part.listed = listed;
    return (index, picture) => {
      // The reason begins with the file's path.
      const named = printable(listed.files[index] ?? '').length + ': '.length;
      part.seen.set(index, typeof picture === 'string' ? picture.slice(named) : seenOf(picture));
    };
  }

  report(): AuditReport {
    const classNames = [...new Set(this.#parts.flatMap(({ listed }) => listed?.classNames ?? []))].sort(
      compareCodePoints,
    );
    const pictures: (AuditedPicture & { readonly seen: Seen | string })[] = this.#parts.flatMap((part) =>
      (part.listed?.files ?? []).flatMap((file, index) => {
        const seen = part.seen.get(index);
        const className = part.listed?.classNames[part.listed.labels[index] ?? -1];
        if (seen === undefined || className === undefined) return [];
        return { file: part.prefix + file, split: part.name, className, seen };
      }),
    );
    const unreadable: UnreadablePicture[] = pictures.flatMap(({ seen, ...picture }) =>
      typeof seen === 'string' ? { ...picture, reason: seen } : [],
    );
    const read = pictures.flatMap(({ seen, ...picture }) => (typeof seen === 'string' ? [] : { picture, seen }));
    const odd = oddities(read.map(({ seen }) => seen)).flatMap((kinds, index): OddPicture[] => {
      const { picture, seen } = read[index] ?? {};
      if (!picture || !seen) return [];
      return kinds.map((oddity) => ({ ...picture, oddity, width: seen.width, height: seen.height }));
    });
    return {
      classNames,
      splits: this.#parts.map(({ name, folder, listed }) => ({ name, folder, counts: countsOf(classNames, listed) })),
      unreadable,
      passedOver: this.#parts.flatMap(({ prefix, listed }) => (listed?.others ?? []).map((file) => prefix + file)),
      duplicates: duplicatesOf(read),
      sizes: sizesOf(read.map(({ seen }) => seen)),
      odd,
    };
  }
}

function seenOf(picture: WholePicture): Seen {
  return { ...traitsOf(picture), print: fingerprintOf(picture) };
}

function countsOf(classNames: readonly string[], listed: PictureFiles | undefined): number[] {
  return classNames.map((name) => {
    const label = listed?.classNames.indexOf(name) ?? -1;
    return listed?.labels.filter((other) => other === label).length ?? 0;
  });
}

function duplicatesOf(read: readonly { readonly picture: AuditedPicture; readonly seen: Seen }[]): DuplicateGroup[] {
  const groups = samePictures(read.map(({ seen }) => seen.print)).map(({ isExact, indices }) => {
    const pictures = indices.flatMap((index) => read[index]?.picture ?? []);
    const isAcross = (part: 'split' | 'className'): boolean =>
      new Set(pictures.map((picture) => picture[part])).size > 1;
    return { isExact, isAcrossSplits: isAcross('split'), isAcrossClasses: isAcross('className'), pictures };
  });
  const rank = ({ isExact, isAcrossSplits }: DuplicateGroup): number => (isExact ? 0 : 2) + (isAcrossSplits ? 0 : 1);
  return groups.sort((a, b) => rank(a) - rank(b));
}

function sizesOf(pictures: readonly Traits[]): SizeCount[] {
  const sizes = new Map<string, SizeCount>();
  for (const { width, height } of pictures) {
    const key = `${width} x ${height}`;
    sizes.set(key, { width, height, count: (sizes.get(key)?.count ?? 0) + 1 });
  }
  return [...sizes.values()].sort((a, b) => b.count - a.count || a.width * a.height - b.width * b.height);
}
