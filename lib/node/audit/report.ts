import type { SplitName } from '../pictures/image-splits.js';

/** A picture, as {@link AuditReport} names it. */
export interface AuditedPicture {
  /** Its path, beginning with the folder of its part where there are several. */
  readonly file: string;
  /** The part that it stands in; 'all' where the set is not divided. */
  readonly split: SplitName | 'all';
  /** The class whose folder it stands in. */
  readonly className: string;
}

/** A file that cannot be read. */
export interface UnreadablePicture extends AuditedPicture {
  /** What is wrong. */
  readonly reason: string;
}

/** Pictures that are the same. */
export interface DuplicateGroup {
  /** Whether they have the same pixels; else they look the same: scaled, compressed, made brighter or cropped a little. */
  readonly isExact: boolean;
  /** Whether they stand in more than one part, so that a net is measured by what it was trained on. */
  readonly isAcrossSplits: boolean;
  /** Whether they stand under more than one class. */
  readonly isAcrossClasses: boolean;
  /** Two or more. */
  readonly pictures: readonly AuditedPicture[];
}

/**
 * What is out of the ordinary about a picture: fewer than a sixteenth ('tiny') or more than 16 times ('huge') as many pixels as the
 * middle one of the set, or a side below 8; more than twice as wide or high, for the other side, as the middle one ('elongated');
 * pixels that are not opaque ('transparent'); more frames than the first, which is read ('animated'); no colour, where most have
 * some ('grey').
 */
export type Oddity = 'tiny' | 'huge' | 'elongated' | 'transparent' | 'animated' | 'grey';

/** A picture that is out of the ordinary. */
export interface OddPicture extends AuditedPicture {
  /** In which way. */
  readonly oddity: Oddity;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** A part of a set of pictures. */
export interface AuditedSplit {
  /** Which part; 'all' where the set is not divided. */
  readonly name: SplitName | 'all';
  /** Its folder. */
  readonly folder: string;
  /** Pictures of each class, unreadable ones included, in the order of `classNames`. */
  readonly counts: readonly number[];
}

/** How many pictures have a size. */
export interface SizeCount {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Pictures of this size. */
  readonly count: number;
}

/** What {@link audit} found: plain data, for JSON. */
export interface AuditReport {
  /** All classes of all parts, sorted. */
  readonly classNames: readonly string[];
  /** The parts: training first. */
  readonly splits: readonly AuditedSplit[];
  /** In the order of the files. */
  readonly unreadable: readonly UnreadablePicture[];
  /** Files that are passed over, because their ending is no picture's: their paths, beginning with the folder of the part. */
  readonly passedOver: readonly string[];
  /** Exact ones first, and of each kind those across the parts. */
  readonly duplicates: readonly DuplicateGroup[];
  /** The most frequent one first. */
  readonly sizes: readonly SizeCount[];
  /** In the order of the files; a picture may be odd in several ways. */
  readonly odd: readonly OddPicture[];
}
