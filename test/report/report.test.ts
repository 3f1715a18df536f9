import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'tape';
import {
  DataError,
  Dense,
  Flatten,
  fromArrays,
  KernelwrightError,
  OptionError,
  RandomStream,
  Sequential,
} from '../../lib/index.js';
import { decodePng } from '../../lib/node/index.js';
import { drawCurves, type ReportContents, reportContents, svgToPng, writeReport } from '../../lib/report/index.js';
import { textWidth } from '../../lib/report/font.js';
import { loadPeer } from '../../lib/report/libraries.js';
import { launchChromium } from '../../tools/chromium.js';
import { inFolder } from '../examples/program.js';
import { cpu } from '../support/devices.js';
import { rejects } from '../support/errors.js';

const EVIL = '<script>document.title = "taken"</script>';

/** A classifier of pictures 6 x 5, flat or not, and what it says of some. */
async function contents(
  classNames = [EVIL, 'a class whose name has over forty letters in it'],
): Promise<ReportContents> {
  const model = new Sequential([new Flatten(), new Dense(classNames.length)]).build([5, 6, 3], { seed: 1 });
  const count = 5;
  const data = {
    inputs: new RandomStream(1, 'pictures').uniform(count * 90, 0, 1),
    inputShape: [5, 6, 3],
    labels: Int32Array.from({ length: count }, (_, i) => i % classNames.length),
    classNames,
    files: Array.from({ length: count }, (_, i) => `a/${'very_'.repeat(12)}long_name_${i}.png`),
  };
  const history = { loss: [0.7, 0.5], validationLoss: [0.8, 0.6], accuracy: [0.5, 0.75], validationAccuracy: [0.5, 1] };
  return reportContents(model, data, {
    title: `A net ${EVIL}`,
    subtitle: 'trained by a test',
    facts: { Device: 'an abacus' },
    history,
    device: cpu,
    schedule: { learningRate: (step) => 0.1 / (1 + step), steps: 10, stepsPerEpoch: 5 },
    learningRates: { rates: [1e-4, 1e-3, 1e-2], losses: [3, 2, 4], smoothedLosses: [3, 2.5, 3], suggestion: 1e-3 },
    groups: [{ group: 'wood', count: 4, accuracy: 0.75 }],
  });
}

test('reportContents has predictions, saliency and weights of a model', async (t) => {
  const { predictions = [], saliency = [], weights } = await contents();
  t.equal(predictions.length, 5);
  for (const { probabilities, picture } of predictions) {
    t.ok(Math.abs(Array.from(probabilities).reduce((sum, value) => sum + value) - 1) < 1e-6);
    t.deepEqual([picture?.width, picture?.height], [6, 5]);
  }
  t.equal(predictions[0]?.label, EVIL);
  t.equal(saliency.length, 5);
  t.ok(Array.from(saliency[0]?.saliency.values ?? []).some((value) => value > 0));
  t.deepEqual(
    [weights?.shape, weights?.inputShape],
    [
      [2, 90],
      [5, 6, 3],
    ],
  );
});

test('reportContents of inputs that are no pictures has the predictions alone, and takes pictures beside', async (t) => {
  const model = new Sequential([new Dense(2)]).build([4]);
  const data = {
    ...fromArrays(
      [
        [1, 2, 3, 4],
        [4, 3, 2, 1],
      ],
      [0, 1],
    ),
    classNames: ['a', 'b'],
  };
  const bare = await reportContents(model, data, { title: 'bare', device: cpu });
  t.deepEqual(Object.keys(bare).sort(), ['predictions', 'title']);
  const picture = { width: 1, height: 1, pixels: new Uint8Array(3) };
  const shown = await reportContents(model, data, {
    title: 'shown',
    device: cpu,
    pictures: [picture, picture],
    inputShape: [2, 2, 1],
  });
  t.deepEqual([shown.predictions?.[1]?.picture, shown.saliency?.length, shown.weights?.shape], [picture, 2, [2, 4]]);
  await rejects(
    t,
    reportContents(model, data, { title: 'x', device: cpu, pictures: [picture] }),
    DataError,
    /1 pictures for 2 inputs/,
  );
  await rejects(
    t,
    reportContents(model, { ...data, classNames: ['a'] }, { title: 'x', device: cpu }),
    DataError,
    /\[2, 2\] for 1 class/,
  );
  await rejects(t, reportContents(model, data, { titel: 'x' } as never), OptionError, /titel.*title/);
});

test('writeReport writes one page, whose names are escaped and which has no script', async (t) => {
  await inFolder(async (folder) => {
    const files = await writeReport(join(folder, 'deep', 'out'), await contents());
    t.deepEqual(files, [join(folder, 'deep', 'out', 'report.html')]);
    t.deepEqual(await readdir(join(folder, 'deep', 'out')), ['report.html']);
    const page = await readFile(files[0] ?? '', 'utf8');
    t.notOk(/<script/i.test(page));
    t.ok(page.includes('&lt;script&gt;'));
    t.notOk(
      /(?:src|href)="(?!data:)[^#"]/.test(page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, '')),
      'it needs no other file',
    );
    t.notOk(/\sid="(clip|gradient)/.test(page), 'names that pictures of one page would share');
    for (const title of [
      'Training',
      'Confusion matrix',
      'Predictions',
      'Weights of the first layer',
      'Accuracy by group',
    ]) {
      t.ok(page.includes(`<h2>${title}</h2>`), title);
    }
    t.ok(page.includes('<dd>an abacus</dd>'));
    const charts = [...page.matchAll(/<svg [^>]*>/g)].map(([svg]) => svg);
    t.ok(charts.length > 15);
    t.ok(
      charts.every((svg) => /role="img" aria-label="[^"]+"/.test(svg)),
      'each picture says what it shows',
    );
  });
});

test('writeReport leaves out what there is nothing of, and writes figures as files', async (t) => {
  await inFolder(async (folder) => {
    const files = await writeReport(folder, { title: 'A net', history: { loss: [1, 0.5] } }, { figures: 'png' });
    t.deepEqual(files, [join(folder, 'report.html'), join(folder, 'curves.png')]);
    const { width, height } = decodePng(await readFile(join(folder, 'curves.png')));
    t.ok(width > 600 && height > 400, `${width} x ${height}`);
    t.equal([...(await readFile(join(folder, 'report.html'), 'utf8')).matchAll(/<h2>/g)].length, 1);
    await writeReport(folder, { title: 'A net', history: { loss: [1, 0.5] } }, { figures: 'svg' });
    t.match(await readFile(join(folder, 'curves.svg'), 'utf8'), /^<svg /);
  });
});

test('writeReport writes nothing where something cannot be drawn', async (t) => {
  await inFolder(async (folder) => {
    const wrong = { classNames: ['a', 'b'], counts: [[1]] };
    await rejects(
      t,
      writeReport(folder, { title: 'A net', confusionMatrix: wrong }, { figures: 'png' }),
      DataError,
      /rows of \[1\]/,
    );
    await rejects(t, writeReport(folder, { title: 'A net', histroy: {} } as never), OptionError, /histroy.*history/);
    await rejects(t, writeReport(folder, {} as never), OptionError, /title must be a text/);
    t.deepEqual(await readdir(folder), []);
  });
});

test('svgToPng has the text in it, without any font of the machine', async (t) => {
  const text = 'Hook Wrench 12.3 %';
  const width = Math.ceil(textWidth(text, 20));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 20}" height="40"><rect width="100%" height="100%" fill="white"/><text x="10" y="26" font-family="Helvetica, Inter" font-size="20">${text}</text></svg>`;
  const png = decodePng(await svgToPng(svg, { scale: 3 }));
  t.deepEqual([png.width, png.height], [3 * (width + 20), 120]);
  const columns = Array.from({ length: png.width }, (_, x) =>
    Array.from({ length: png.height }, (_, y) => png.pixels[3 * (y * png.width + x)] ?? 255).some(
      (level) => level < 128,
    ),
  );
  const [first, last] = [columns.indexOf(true), columns.lastIndexOf(true)];
  t.ok(first >= 30 && first < 40, `ink begins at ${first}`);
  t.ok(
    Math.abs(last - 3 * (10 + textWidth(text, 20))) < 18,
    `ink ends at ${last}, the text is ${textWidth(text, 20)} wide`,
  );
  await rejects(t, svgToPng(svg, { scale: 0 }), OptionError, 'scale');
});

test('a chart as PNG has the size that was asked for, and ink where its title and its axes are', async (t) => {
  const svg = await drawCurves({ loss: [3, 2, 1] }, { title: 'MyNet' });
  const [, width = 0, height = 0] = (/width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(Number);
  const png = decodePng(await svgToPng(svg, { scale: 1 }));
  t.deepEqual([png.width, png.height], [width, height]);
  const ink = (left: number, top: number, right: number, bottom: number) => {
    let dark = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) dark += Number((png.pixels[3 * (y * png.width + x)] ?? 255) < 140);
    }
    return dark;
  };
  t.ok(ink(0, 0, 80, 36) > 50, 'the title');
  t.ok(ink(0, 36, 30, height) > 20, 'the title of the y axis');
  t.ok(ink(0, height - 22, width, height) > 20, 'the title of the x axis');
});

test('a package that is not installed is named, with the command that installs it', async (t) => {
  const missing = 'kernelwright-has-no-such-package';
  await rejects(
    t,
    loadPeer('vega', () => import(missing)),
    KernelwrightError,
    'needs the package vega, which is not installed',
    'npm install vega vega-lite @resvg/resvg-js',
  );
  const broken = () => Promise.reject(new Error('its addon is for another system'));
  await rejects(t, loadPeer('vega', broken), KernelwrightError, 'could not be loaded: its addon is for another system');
});

/** Texts of a page that cannot be seen. */
const UNSEEN = `Array.from(document.querySelectorAll('h1, h2, dd, .chart text:not(:empty)'))
  .filter((each) => each.getBoundingClientRect().width === 0).map((each) => each.outerHTML)`;

test('the page has no error and is no wider than the window, in bright and dark surroundings', async (t) => {
  const context = await launchChromium();
  const many = Array.from({ length: 20 }, (_, i) => `${'letters_'.repeat(5)}${i}`);
  try {
    await inFolder(async (folder) => {
      for (const classNames of [[EVIL, 'the other class'], many]) {
        const [file = ''] = await writeReport(folder, await contents(classNames));
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        page.on('pageerror', (error) => complaints.push(error.message));
        await page.goto(pathToFileURL(file).href);
        t.match(await page.title(), /^A net <script>/);
        t.deepEqual(await page.evaluate(UNSEEN), [], 'all texts have a width');
        for (const width of [1280, 400]) {
          await page.setViewportSize({ width, height: 800 });
          t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `no overflow at ${width} pixels`);
        }
        for (const [colorScheme, paper] of [
          ['light', 'rgb(255, 255, 255)'],
          ['dark', 'rgb(18, 22, 27)'],
        ] as const) {
          await page.emulateMedia({ colorScheme });
          t.equal(await page.evaluate(`getComputedStyle(document.querySelector('.chart svg > rect')).fill`), paper);
          t.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), paper);
        }
        t.deepEqual(complaints, []);
        await page.close();
      }
    });
  } finally {
    await context.close();
  }
});
