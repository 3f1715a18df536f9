import { boolean, checkOptions, type OptionRules } from '../../options.js';
import { printable } from '../../printable.js';
import { ODDITIES } from './oddities.js';
import type { AuditedPicture, AuditedSplit, AuditReport, DuplicateGroup, Oddity } from './report.js';

/** Options of {@link auditLines}. */
export interface AuditLinesOptions {
  /** Whether all files are named, a line each, not the first few of each kind. Default false. */
  readonly verbose?: boolean;
}

const RULES: OptionRules<AuditLinesOptions> = { verbose: boolean };

/** How many of a kind are named where not all are. */
const NAMED = 3;
/** So many times as many pictures in one class as in another are worth a line. */
const UNBALANCED = 2;

const PURPOSES: Readonly<Record<AuditedSplit['name'], string>> = {
  all: '',
  training: ' to train on',
  validation: ' to validate',
  test: ' to test',
};

/** What {@link audit} found, for a terminal: a line for each kind of thing, and nothing where there is nothing. */
export function auditLines(report: AuditReport, options: AuditLinesOptions = {}): string[] {
  checkOptions('auditLines', options, RULES);
  const { verbose = false } = options;
  const finding = (what: string, items: readonly string[]): string[] => {
    if (items.length === 0) return [];
    if (verbose) return [`${what}:`, ...items.map((item) => `  ${item}`)];
    const more = items.length - NAMED;
    return [`${what}: ${items.slice(0, NAMED).join('; ')}${more > 0 ? `; and ${more} more` : ''}`];
  };
  const lines = [
    ...countLines(report),
    ...finding(
      `${counted(report.unreadable.length, 'file')} cannot be read`,
      report.unreadable.map(({ file, reason }) => `${file}: ${reason}`),
    ),
    ...finding(
      `${counted(report.passedOver.length, 'file')} ${report.passedOver.length === 1 ? 'is' : 'are'} passed over, whose ending is no picture's`,
      report.passedOver,
    ),
    ...DUPLICATES.flatMap(({ title, holds }) => {
      const groups = report.duplicates.filter(holds);
      const times = groups.length === 1 ? 'once' : `${groups.length} times`;
      return finding(
        `${title}, ${times}`,
        groups.map((group) => groupText(group, verbose)),
      );
    }),
    ...finding(
      'Sizes',
      report.sizes.map(({ width, height, count }) => `${width} x ${height} (${count})`),
    ),
    ...ODDITIES.flatMap((oddity) => {
      const odd = report.odd.filter((picture) => picture.oddity === oddity);
      return finding(
        `${counted(odd.length, 'picture')} ${odd.length === 1 ? 'is' : 'are'} ${oddity}${ASIDE[oddity] ?? ''}`,
        odd.map(({ file, width, height }) => `${file} (${width} x ${height})`),
      );
    }),
  ];
  return lines.map(printable);
}

const ASIDE: Readonly<Partial<Record<Oddity, string>>> = {
  elongated: ' beside the others',
  transparent: ' in places, where the background shows through',
  animated: ', of which the first frame is read',
  grey: ' among coloured ones',
};

/** Where pictures that are the same stand: the worst that is to be said of them. */
const PLACES: readonly { readonly place: string; readonly holds: (group: DuplicateGroup) => boolean }[] = [
  { place: 'in two parts', holds: ({ isAcrossSplits }) => isAcrossSplits },
  { place: 'under two classes', holds: ({ isAcrossSplits, isAcrossClasses }) => !isAcrossSplits && isAcrossClasses },
  { place: 'more than once', holds: ({ isAcrossSplits, isAcrossClasses }) => !isAcrossSplits && !isAcrossClasses },
];

const DUPLICATES = [true, false].flatMap((exact) =>
  PLACES.map(({ place, holds }) => ({
    title: `${exact ? 'The' : 'Nearly the'} same picture ${place}`,
    holds: (group: DuplicateGroup) => group.isExact === exact && holds(group),
  })),
);

function groupText({ pictures, isAcrossClasses }: DuplicateGroup, verbose: boolean): string {
  const more = pictures.length - NAMED;
  const isCut = !verbose && more > 1;
  const placeOf = ({ split, className }: AuditedPicture): string => `${split}/${className}`;
  const isFirst = (picture: AuditedPicture): boolean =>
    pictures.find((other) => placeOf(other) === placeOf(picture)) === picture;
  const spread = [...pictures.filter(isFirst), ...pictures.filter((picture) => !isFirst(picture))];
  const named = (isCut ? spread.slice(0, NAMED) : pictures).map(({ file }) => file);
  return `${named.join(' = ')}${isCut ? ` and ${more} more` : ''}${isAcrossClasses ? ' (of two classes)' : ''}`;
}

/** How many pictures there are, of how many classes, and how evenly. */
function countLines({ classNames, splits }: AuditReport): string[] {
  const totals = splits.map(({ name, counts }) => `${counts.reduce((sum, count) => sum + count, 0)}${PURPOSES[name]}`);
  const lines = [`Pictures: ${totals.join(', ')}; ${counted(classNames.length, 'class', 'classes')}`];
  if (classNames.length === 1) lines.push('One class only: a training takes two or more');
  for (const { name, counts } of splits) {
    const of = name === 'all' ? '' : ` of ${name}`;
    const missing = classNames.filter((_, label) => counts[label] === 0);
    if (missing.length > 0) lines.push(`No pictures${of} in ${missing.join(', ')}`);
  }
  const [first] = splits;
  if (!first) return lines;
  const ordered = classNames
    .map((className, label) => ({ className, count: first.counts[label] ?? 0 }))
    .sort((a, b) => b.count - a.count);
  const [largest, smallest] = [ordered[0], ordered.at(-1)];
  if (!largest || !smallest) return lines;
  const text = ({ className, count }: { className: string; count: number }): string => `${className} ${count}`;
  lines.push(
    classNames.length <= 10
      ? `Classes: ${ordered.map(text).join(', ')}`
      : `Classes: from ${text(smallest)} to ${text(largest)}`,
  );
  if (smallest.count > 0 && largest.count >= UNBALANCED * smallest.count) {
    const factor = (largest.count / smallest.count).toFixed(1);
    lines.push(`${largest.className} has ${factor} times as many pictures as ${smallest.className}`);
  }
  return lines;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
