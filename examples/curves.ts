/**
 * Draws how a training went, from the history.json that `npm run mynet` or another of the examples wrote:
 *
 *     npm run curves
 *     npm run curves -- --history runs/convnet/history.json --out docs/convnet.svg
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from 'kernelwright';
import { writeFileAtomically } from 'kernelwright/node';
import { drawCurves, svgToPng, type TrainingHistory } from 'kernelwright/report';
import { helpText, parseOptions, runProgram } from '../lib/command-line/arguments.js';
import { reasonOf } from '../lib/node/reasons.js';

const OPTIONS = {
  history: { value: 'FILE', help: 'what an example wrote (default runs/mynet/history.json)' },
  out: { value: 'FILE', help: 'the picture, SVG or PNG by its ending (default: curves.svg beside the history)' },
} as const;

/** What is read of history.json beside the curves. */
interface History extends TrainingHistory {
  readonly title: string;
  readonly seconds: number;
  readonly device: { readonly description: string };
}

await runProgram('curves', async (args) => {
  const values = parseOptions(args, OPTIONS);
  if (values.help) {
    console.log(helpText('npm run curves -- [options]', OPTIONS));
    return 0;
  }
  const source = String(values.history ?? 'runs/mynet/history.json');
  const target = String(values.out ?? join(dirname(source), 'curves.svg'));
  const { title, seconds, device, ...history } = await readHistory(source);
  const epochs = history.loss.length === 1 ? '1 epoch' : `${history.loss.length} epochs`;
  const svg = await drawCurves(history, {
    title,
    subtitle: `${epochs} in ${seconds.toFixed(1)} s on ${device.description}`,
  });
  await writeFileAtomically(target, target.endsWith('.png') ? await svgToPng(svg) : svg);
  console.log(`the curves are in ${target}`);
  return 0;
});

async function readHistory(path: string): Promise<History> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new DataError(`${path}: ${reasonOf(error)}; npm run mynet writes it`);
  });
  let history: unknown;
  try {
    history = JSON.parse(text);
  } catch {
    throw new DataError(`${path} is not JSON`);
  }
  if (isHistory(history)) {
    if (history.loss.length > 0) return history;
    throw new DataError(`${path}: no epoch of the training was completed`);
  }
  throw new DataError(`${path} is no history of a training`);
}

/** Whether it is what a training writes. */
function isHistory(value: unknown): value is History {
  if (typeof value !== 'object' || value === null) return false;
  const { title, loss, seconds, device } = value as Partial<Record<keyof History, unknown>>;
  return (
    typeof title === 'string' &&
    Array.isArray(loss) &&
    loss.every((item) => typeof item === 'number' || item === null) && // JSON has null for NaN
    typeof seconds === 'number' &&
    typeof device === 'object' &&
    device !== null &&
    'description' in device &&
    typeof device.description === 'string'
  );
}
