import { Writable } from 'node:stream';
import test from 'tape';
import {
  type Callback,
  fit,
  type FitOptions,
  openDevice as openInBrowser,
  OptionError,
  SGD,
} from '../../../lib/index.js';
import { countBar, openDevice, progressBar, type ProgressStream } from '../../../lib/node/index.js';
import { clockText, eraseBar } from '../../../lib/node/progress/terminal-bar.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses, rejects } from '../../support/errors.js';
import { clouds, net, weightsOf } from '../../train/examples.js';

/** A stream that keeps what is written; as a terminal it is `columns` wide. */
function recording(columns?: number): ProgressStream & { readonly text: () => string } {
  const parts: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      parts.push(text);
      done();
    },
  });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return Object.assign(stream, terminal, { text: () => parts.join('') });
}

/** What stands in the lines of a terminal's output, without what moves the cursor. */
const linesOf = (text: string): string[] =>
  text.split(/\x1b(?:\[[0-9;?]*[A-Za-z]|[78])|\r|\n/).filter((line) => line !== '');

async function train(callbacks: readonly Callback[], options: Partial<FitOptions> = {}) {
  const model = net(4, 0.5);
  const { loss } = await fit(model, clouds(20, 6), {
    ...{ epochs: 3, batchSize: 8, seed: 3, optimizer: new SGD({ learningRate: 0.1 }), callbacks },
    ...options,
  });
  return [loss, await weightsOf(model)] as const;
}

testOnDevices('on a terminal there is one bar over all epochs, and the training is the same', async (t, device) => {
  const expected = await train([], { device });
  const stream = recording(200);
  t.deepEqual(await train([progressBar({ stream })], { device }), expected);
  const lines = linesOf(stream.text());
  t.ok(lines[0]?.startsWith('░░░░░░░░░░░░░░░░░░░░░░░░   0 % epoch 1/3'), lines[0]);
  const last = lines.at(-1) ?? '';
  t.ok(last.startsWith('████████████████████████ 100 % epoch 3/3'), last);
  t.ok(/ [\d.]+ steps\/s {2}0:00 left {2}loss 0\.\d+ {2}accuracy [\d.]+$/.test(last), last);
  t.ok(stream.text().endsWith('\n'), 'it stays, and the cursor is below it');
});

test('a long line is cut to the width of the terminal', async (t) => {
  const stream = recording(50);
  await train([progressBar({ stream })], { validation: clouds(6, 6, 2) });
  const longest = Math.max(...linesOf(stream.text()).map(({ length }) => length));
  t.equal(longest, 50);
});

test('elsewhere there is a line for each epoch', async (t) => {
  const stream = recording();
  const [loss] = await train([progressBar({ stream })], { validation: clouds(6, 6, 2) });
  const lines = stream.text().split('\n');
  t.equal(lines.length, 4);
  t.ok(/^epoch 1\/3 {2}loss [\d.]+ {2}accuracy [\d.]+ {2}validationLoss [\d.]+ {2}validationAccuracy [\d.]+ {2}\d+\.\d s$/.test(lines[0] ?? ''), lines[0]); // prettier-ignore
  t.ok(lines[2]?.includes(`epoch 3/3  loss ${Number(loss[2]?.toPrecision(4))}  `), lines[2]);
});

test('a long epoch shows what it has come to so far, and counts at most some times a second', async (t) => {
  const stream = recording(200);
  const steps: number[] = [];
  const bar = progressBar({ stream });
  const isShown = (): boolean =>
    linesOf(stream.text()).some((line) => line.includes('epoch 1/1') && /loss [\d.]/.test(line));
  const abort = new AbortController();
  const counting: Callback = {
    ...bar,
    get everySteps() {
      return bar.everySteps ?? 1;
    },
    onStepEnd: async (run) => {
      steps.push(run.step);
      await bar.onStepEnd?.(run);
      if (isShown()) abort.abort();
    },
  };
  await fit(net(64, 0), clouds(4000, 200), {
    ...{ epochs: 1, batchSize: 1, optimizer: new SGD({ learningRate: 1e-4 }), seed: 1, signal: abort.signal },
    // A step takes a millisecond at least, so that the epoch is long on every machine.
    ...{ callbacks: [counting, { onStepEnd: () => new Promise((resume) => setTimeout(resume, 1)) }] },
  });
  t.ok(steps.length < 100, `${steps.length} calls for ${steps.at(-1)} steps`);
  t.ok(abort.signal.aborted, linesOf(stream.text()).at(-1));
});

test('the bar ends where the training fails or is stopped, and can be used again', async (t) => {
  const stream = recording(200);
  const bar = progressBar({ stream });
  const failing: Callback = { onEpochEnd: () => Promise.reject(new Error('disk full')) };
  await rejects(t, train([bar, failing]), Error, 'disk full');
  t.ok(stream.text().endsWith('\n'));
  await train([bar, { onEpochEnd: (run) => { run.stop(); } }]); // prettier-ignore
  t.ok(linesOf(stream.text()).at(-1)?.includes('33 % epoch 1/3'), linesOf(stream.text()).at(-1));
  await train([bar]);
  t.ok(linesOf(stream.text()).at(-1)?.includes('100 % epoch 3/3'));
});

test('countBar shows what is done of all', (t) => {
  const terminal = recording(100);
  const onTerminal = countBar('pictures', { stream: terminal });
  for (const done of [1, 600, 1200]) onTerminal(done, 1200);
  t.equal(linesOf(terminal.text()).at(-1), '████████████████████████ 100 % 1,200 of 1,200 pictures');
  t.ok(terminal.text().endsWith('\n'));
  const file = recording();
  const elsewhere = countBar('pictures', { stream: file });
  for (const done of [1, 600, 1200]) elsewhere(done, 1200);
  t.equal(file.text(), '1,200 pictures\n');
  refuses(t, () => countBar(3 as never), OptionError, 'what must be a text');
  refuses(t, () => progressBar({ stream: 'stderr' as never }), OptionError, 'stream must be');
  t.end();
});

test('a bar goes where it is not to stay, and makes way for a line or another bar', async (t) => {
  const stream = recording(100);
  const pictures = countBar('pictures', { stream, leave: false });
  for (const done of [1, 2]) pictures(done, 2);
  t.ok(stream.text().endsWith('\x1b[1G\x1b[2K'), 'the line is empty');
  const kernels = countBar('kernels', { stream, leave: false });
  kernels(1, 2);
  pictures(1, 2);
  kernels(2, 4);
  t.equal(
    linesOf(stream.text()).at(-1),
    '████████████░░░░░░░░░░░░  50 % 2 of 4 kernels',
    'of as many as there are by now',
  );
  eraseBar(stream);
  stream.write('a line\n');
  t.ok(stream.text().endsWith('\x1b[1G\x1b[2Ka line\n'));
  kernels(4, 4);
  t.equal(linesOf(stream.text()).at(-1), '████████████████████████ 100 % 4 of 4 kernels');
  t.equal(stream.text().includes('?25l'), false, 'the cursor is never hidden');

  const line: Callback = {
    onEpochEnd: ({ epoch }) => {
      eraseBar(stream);
      stream.write(`${epoch} done\n`);
    },
  };
  await train([line, progressBar({ stream, leave: false })]);
  t.ok(linesOf(stream.text()).at(-1)?.includes('100 % epoch 3/3'));
  t.equal(stream.text().split('\n').length, 5, 'no line but those that were written');
  t.ok(stream.text().endsWith('\x1b[2K'));
});

test('kernels are counted as they are compiled; those of a training are all there before its first step', async (t) => {
  const told: (readonly [number, number])[] = [];
  const device = await openDevice('webgpu', { onCompile: (ready, asked) => void told.push([ready, asked]) });
  let before = 0;
  const looking: Callback = { onEpochBegin: () => void (before ||= told.length) };
  await train([looking], { device, validation: clouds(6, 6, 2) });
  t.ok(before > 0, `${before} kernels`);
  t.equal(told.length, before, 'none came later');
  t.deepEqual(
    told.map(([ready]) => ready),
    told.map((_, i) => i + 1),
  );
  t.deepEqual(told.at(-1), [before, before]);
  await train([], { device, validation: clouds(6, 6, 2) });
  t.equal(told.length, before, 'plans share them');
  device.dispose();

  const failing = await openDevice('webgpu', { onCompile: () => { throw new Error('no terminal'); } }); // prettier-ignore
  await rejects(t, train([], { device: failing }), Error, 'no terminal');
  failing.dispose();
  await rejects(t, openInBrowser('cpu', { onCompile: 3 as never }), OptionError, 'onCompile must be a function');
});

test('times are said as clocks say them', (t) => {
  t.deepEqual([0, 7.4, 59.6, 750, 3723, Infinity, NaN].map(clockText), [
    '0:00',
    '0:07',
    '1:00',
    '12:30',
    '1:02:03',
    '-:--',
    '-:--',
  ]);
  t.end();
});
