import { join } from 'node:path';
import { writeFileAtomically } from 'kernelwright/node';
import { drawCurves, drawGroups, drawPredictions, picturesOf } from 'kernelwright/report';
import type { Outcome } from './experiment.js';
import type { Judgement } from './wrenches.js';

/** Curves of a training, and its test pictures with bars below, as the article's figures. */
export async function drawOutcome({ experiment, history, tested }: Outcome, out: string): Promise<void> {
  const { name, title } = experiment;
  await writeFileAtomically(join(out, `${name}-curves.svg`), await drawCurves(history, { title }));
  if (!tested) return;
  const { pictures, probabilities } = tested;
  const { classNames, labels, files } = pictures;
  const predictions = picturesOf(pictures).map((picture, i) => ({
    picture,
    classNames,
    probabilities: probabilities.subarray(i * classNames.length, (i + 1) * classNames.length),
    ...(files?.[i] !== undefined && { file: files[i] }),
    ...(classNames[labels[i] ?? -1] !== undefined && { label: classNames[labels[i] ?? -1] }),
  }));
  await writeFileAtomically(join(out, `${name}-predictions.svg`), await drawPredictions(predictions, { title }));
}

/** How often the recipe was right about each scene. */
export async function drawJudgement({ validation }: Judgement, out: string): Promise<void> {
  const groups = validation.scores['eight views']?.byGroup ?? [];
  if (groups.length === 0) return;
  const title = 'Right about photos of scenes that it had not seen';
  await writeFileAtomically(join(out, 'scenes.svg'), await drawGroups(groups, { title }));
}
