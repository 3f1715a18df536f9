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
import { reasonOf } from '../lib/node/reasons.js';
import { drawSvg } from '../tools/picture.js';
import { helpText, parseOptions, runProgram } from '../lib/command-line/arguments.js';

const OPTIONS = {
  history: { value: 'FILE', help: 'what an example wrote (default runs/mynet/history.json)' },
  out: { value: 'FILE', help: 'the picture (default: curves.svg beside the history)' },
} as const;

/** Size of a panel, in pixels. */
const WIDTH = 360;
const HEIGHT = 220;

/** Okabe and Ito's colours. */
const COLOURS = { training: '#0072B2', 'held out': '#D55E00' };

/** What is read of history.json. */
interface History {
  readonly title: string;
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly validationLoss: readonly number[];
  readonly validationAccuracy: readonly number[];
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
  await writeFileAtomically(target, await drawHistory(await readHistory(source)));
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
  if (isHistory(history)) return history;
  throw new DataError(`${path} is no history of a training`);
}

function isHistory(value: unknown): value is History {
  if (typeof value !== 'object' || value === null) return false;
  const { title, loss, accuracy, validationLoss, validationAccuracy, seconds, device } = value as Partial<
    Record<keyof History, unknown>
  >;
  const isCurve = (curve: unknown) => Array.isArray(curve) && curve.every((item) => typeof item === 'number');
  return (
    [loss, accuracy, validationLoss, validationAccuracy].every(isCurve) &&
    typeof title === 'string' &&
    typeof seconds === 'number' &&
    typeof device === 'object' &&
    device !== null &&
    'description' in device &&
    typeof device.description === 'string'
  );
}

async function drawHistory(history: History): Promise<string> {
  const { title, loss, accuracy, validationLoss, validationAccuracy, seconds, device } = history;
  return drawSvg({
    title: {
      text: title,
      subtitle: [`${loss.length} epochs in ${seconds.toFixed(1)} s on ${device.description}`],
    },
    vconcat: [
      {
        hconcat: [panel('loss', loss, validationLoss, '.2f'), panel('accuracy', accuracy, validationAccuracy, '.0%')],
        spacing: 32,
      },
    ],
    spacing: 0,
  });
}

function panel(title: string, training: readonly number[], heldOut: readonly number[], format: string) {
  const points = (part: keyof typeof COLOURS, curve: readonly number[]) =>
    curve.map((value, i) => ({ part, epoch: i + 1, value }));
  return {
    width: WIDTH,
    height: HEIGHT,
    data: { values: [...points('training', training), ...points('held out', heldOut)] },
    mark: { type: 'line' as const, strokeWidth: 2 },
    encoding: {
      x: { field: 'epoch', type: 'quantitative' as const, axis: { tickMinStep: 1, format: 'd' } },
      y: { field: 'value', type: 'quantitative' as const, scale: { zero: false }, axis: { format }, title },
      color: {
        field: 'part',
        type: 'nominal' as const,
        scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
        legend: { orient: 'top' as const, title: null, labelFontSize: 12 },
      },
    },
  };
}
