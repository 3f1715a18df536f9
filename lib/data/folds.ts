import { DataError } from '../errors.js';
import { shuffledIndices } from '../random.js';
import type { LabelledData } from './training-data.js';

/** Examples that stay together, and how many of each class they are. */
interface Group {
  readonly rows: number[];
  readonly classes: number[];
}

/**
 * The fold of each example, counted from 0: whole groups in one fold each, and every class spread over the folds as evenly
 * as whole groups allow (scikit-learn's StratifiedGroupKFold). Groups are shuffled by the seed, and dealt out the largest
 * first, each to the fold that has least of its classes so far.
 *
 * Throws DataError where there is not a group for each fold, or not a group for each example.
 */
export function foldsOf(
  data: LabelledData,
  folds: number,
  seed: number,
  groups: ArrayLike<string> | undefined,
): Int32Array {
  const { labels, classNames } = data;
  if (groups && groups.length !== labels.length) {
    throw new DataError(`crossValidate: ${groups.length} groups for ${labels.length} examples; expected one each`);
  }
  const found = new Map<string | number, Group>();
  for (const [row, label] of labels.entries()) {
    const name = groups?.[row] ?? row;
    const group = found.get(name) ?? { rows: [], classes: classNames.map(() => 0) };
    found.set(name, group);
    group.rows.push(row);
    group.classes[label] = (group.classes[label] ?? 0) + 1;
  }
  if (found.size < folds) {
    const unit = groups ? 'groups' : 'examples';
    throw new DataError(`crossValidate: ${found.size} ${unit} cannot be divided into ${folds} folds`);
  }
  const all = [...found.values()];
  const totals = classNames.map((_, label) => all.reduce((sum, { classes }) => sum + (classes[label] ?? 0), 0));
  const shares = ({ classes }: Group): number[] =>
    classes.map((count, label) => count / Math.max(1, totals[label] ?? 1));
  const dealt = Array.from({ length: folds }, () => ({ shares: classNames.map(() => 0), rows: 0 }));
  const result = new Int32Array(labels.length);
  const order = [...shuffledIndices(all.length, seed, 'folds')].flatMap((i) => all[i] ?? []);
  for (const group of order.sort((a, b) => b.rows.length - a.rows.length)) {
    const own = shares(group);
    const overlap = dealt.map((fold) => fold.shares.reduce((sum, share, label) => sum + share * (own[label] ?? 0), 0));
    const least = Math.min(...overlap);
    const fewest = Math.min(...dealt.filter((_, i) => overlap[i] === least).map(({ rows }) => rows));
    const to = dealt.findIndex(({ rows }, i) => overlap[i] === least && rows === fewest);
    const fold = dealt[to];
    if (!fold) continue;
    fold.rows += group.rows.length;
    own.forEach((share, label) => (fold.shares[label] = (fold.shares[label] ?? 0) + share));
    for (const row of group.rows) result[row] = to;
  }
  return result;
}
