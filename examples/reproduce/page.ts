import { markdownTable } from 'markdown-table';
import type { DeviceInfo } from 'kernelwright';
import { ARTICLE } from './article.js';
import { type Outcome, secondsAsInArticle } from './experiment.js';
import type { Judgement } from './wrenches.js';

/** What the page tells. */
export interface Findings {
  readonly data: string;
  readonly device: DeviceInfo;
  /** Processor and cores. */
  readonly machine: string;
  readonly outcomes: readonly Outcome[];
  readonly judgement: Judgement;
  readonly judgedEpochs: number;
  /** Of all of it. */
  readonly seconds: number;
}

const percent = (share: number): string => (100 * share).toFixed(1);

/** The page, Markdown; figures lie beside it. */
export function pageOf(findings: Findings): string {
  const { data, device, machine, outcomes, seconds } = findings;
  return [
    '# The article, reproduced',
    `Pictures of \`${data}\`; ${device.description}, ${machine}; ${(seconds / 60).toFixed(1)} minutes in all.`,
    '## Trainings',
    outcomesTable(outcomes),
    'Held out: a fifth of the pictures, taken away before 48 were made of each of the others. The last column: 40 epochs of ' +
      `what the article made of ${ARTICLE.photos} photos, at its size, reckoned from the time of a picture and, where it was ` +
      'smaller here, its pixels.',
    ...outcomes.flatMap(({ experiment: { name, title }, tested }) => [
      `### ${title}`,
      `![Loss and accuracy of ${title} over the epochs](${name}-curves.svg)`,
      ...(tested ? [`![Test pictures, and what ${title} says of them](${name}-predictions.svg)`] : []),
    ]),
    '## What does learn the wrenches',
    ...judgementParts(findings),
    '',
  ].join('\n\n');
}

function outcomesTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => {
    const { experiment, parameters, pictures, history, seconds, memory } = outcome;
    const { article, size, epochs, title } = experiment;
    const asInArticle = secondsAsInArticle(outcome);
    return [
      title,
      parameters.toLocaleString('en'),
      `${size} × ${size}`,
      pictures.toLocaleString('en'),
      String(epochs),
      percent(history.accuracy.at(-1) ?? NaN),
      percent(history.validationAccuracy.at(-1) ?? NaN),
      (memory / 2 ** 20).toFixed(0),
      seconds.toFixed(1),
      article ? `${article.keras} / ${article.pytorch}` : '',
      asInArticle === undefined ? '' : Number(asInArticle.toPrecision(3)).toLocaleString('en'),
    ];
  });
  const heads = [
    ...['net', 'parameters', 'size', 'pictures', 'epochs', 'accuracy, %', 'held out, %', 'MiB on the device', 's'],
    ...['article: Keras / PyTorch, s', 'the same here, s'],
  ];
  return markdownTable([heads, ...rows], { align: ['l', ...heads.slice(1).map(() => 'r' as const)] });
}

function judgementParts({ judgement, judgedEpochs }: Findings): string[] {
  const { validation, seconds, pictures } = judgement;
  const longest = Math.max(...seconds);
  const rows = Object.entries(validation.scores).map(([name, score]) => [
    name,
    score.accuracy.toFixed(3),
    score.bySeed.map((value) => value.toFixed(3)).join(' '),
    `${score.deviationOfFolds.toFixed(2)} / ${score.deviationOfSeeds.toFixed(2)}`,
  ]);
  const parts = [
    `${seconds.length} trainings of ${judgedEpochs} epochs, each judged on the fifth of ${pictures} pictures that it has not ` +
      `seen; ${longest.toFixed(0)} s the longest; accuracy in training ${percent(validation.measured['training'] ?? NaN)} %.`,
    markdownTable([['answer', 'right', 'by seed', 'deviation of folds / seeds'], ...rows], {
      align: ['l', 'r', 'r', 'r'],
    }),
  ];
  const groups = validation.scores['one view']?.byGroup ?? [];
  if (groups.length === 0) return parts;
  const eight = new Map(validation.scores['eight views']?.byGroup.map(({ group, accuracy }) => [group, accuracy]));
  const byScene = groups.map(({ group, count, accuracy }) => [
    group,
    String(count),
    accuracy.toFixed(2),
    (eight.get(group) ?? NaN).toFixed(2),
  ]);
  return [
    ...parts,
    '![How often it was right about each scene](scenes.svg)',
    markdownTable([['scene', 'pictures', 'one view', 'eight views'], ...byScene], { align: ['l', 'r', 'r', 'r'] }),
  ];
}

/** All numbers of it, for programs. */
export function numbersOf({ outcomes, judgement, ...rest }: Findings) {
  return {
    ...rest,
    trainings: outcomes.map(({ experiment, parameters, pictures, history, seconds, memory, tested }) => ({
      ...{ ...experiment, parameters, pictures, history, seconds, memory },
      ...(tested && { files: tested.pictures.files, probabilities: [...tested.probabilities] }),
    })),
    recipe: judgement,
  };
}
