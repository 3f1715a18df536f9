/**
 * The smoke test of the package (`npm run test:package`): builds it, packs it, installs the tarball in an empty folder
 * and uses it there as its users do: in Node, in strict TypeScript projects, and bundled by Vite for a browser. The
 * tools come from this project, so that the folder holds nothing but the package and what the package brings along.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

import { root } from '../../tools/root.js';

/** Of the package and what it brings along, installed, without optional peers and the decoder of JPEG. */
const sizeLimit = 3 * 2 ** 20;
/** Of a page that trains, on the CPU or on WebGPU: everything that it loads at its start, gzipped. */
const pageLimit = 95_000;

/** Reads JPEG where sharp is not installed, and is not counted as the core's. */
const JPEG = '@jsquash';
const PNG = 'pngjs';
/** cli-progress, and what it needs. */
const BARS = ['ansi-regex', 'cli-progress', 'emoji-regex', 'is-fullwidth-code-point', 'string-width', 'strip-ansi'];

/** Plain JavaScript in Node, without the optional peer: the CPU device serves. */
const nodeProgram = `
import { tensor, matmul } from 'kernelwright';
import { openDevice, imageFolder } from 'kernelwright/node';
import assert from 'node:assert/strict';

assert.deepEqual([typeof openDevice, typeof imageFolder], ['function', 'function']);
const t = tensor([[1, 2], [3, 4]]);
assert.deepEqual(await matmul(t, t).data(), new Float32Array([7, 10, 15, 22]));
`;

const typedCore = `
import { tensor, matmul, add, Sequential, Dense, ReLU, SGD, fit, type Tensor } from 'kernelwright';

const t: Tensor = tensor([[1, 2], [3, 4]]);
const values = await add(matmul(t, t), t).data();
export const first: number | undefined = values[0];
export const core: readonly unknown[] = [Sequential, Dense, ReLU, SGD, fit];
`;
const typedNode = `
import { openDevice, imageFolder } from 'kernelwright/node';
export const node: readonly unknown[] = [openDevice, imageFolder];
`;

/** Without the optional peers of kernelwright/report, which needs no device: what draws says how to install them. */
const reportProgram = `
import { drawCurves, svgToPng } from 'kernelwright/report';
import assert from 'node:assert/strict';

for (const drawn of [drawCurves({ loss: [1] }), svgToPng('<svg/>')]) {
  await assert.rejects(drawn, /not installed: npm install vega vega-lite @resvg\\/resvg-js/);
}
`;
const typedReport = `
import { drawCurves, reportContents, svgToPng, writeReport } from 'kernelwright/report';
export const report: readonly unknown[] = [drawCurves, reportContents, svgToPng, writeReport];
`;

/** A consumer stricter than most, which checks the package's declarations too and has no @webgpu/types. */
const strictest = {
  noEmit: true,
  target: 'ES2022',
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
};

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kernelwright-package-')));
const home = join(folder, 'home');
mkdirSync(home);
const total = { passed: 0, failed: 0 };
try {
  npm(root, 'run', 'build');
  npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? 'no tarball');

  await check('publint has no complaint', () => tool('publint/src/cli.js', 'run', tarball, '--strict'));
  await check('attw has no complaint', () => {
    tool('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--no-emoji');
  });
  await check(
    'the tarball installs in an empty folder, and brings nothing but what reads pictures and draws bars',
    () => {
      npm(home, 'install', tarball, '--no-audit', '--no-fund');
      const installed = readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'));
      assert.deepEqual(installed.sort(), ['kernelwright', JPEG, PNG, ...BARS].sort());
    },
  );
  await check('it is small, packed and installed', () => {
    const partOf = (names: readonly string[]) =>
      names.reduce((sum, name) => sum + sizeOf(join(home, 'node_modules', name)), 0);
    const [own, png, bars, jpeg] = [partOf(['kernelwright']), partOf([PNG]), partOf(BARS), partOf([JPEG])];
    const core = own + png + bars;
    console.log(
      `  ${kib(statSync(tarball).size)} packed; the core ${kib(core)} installed: ${kib(own)} of its own, ${kib(png)} for PNG ` +
        `and ${kib(bars)} for bars; beside it ${kib(jpeg)} for JPEG`,
    );
    assert.ok(core < sizeLimit, `more than ${kib(sizeLimit)}`);
  });
  await check('Node imports it, computes, and ends by itself', () => {
    writeFileSync(join(home, 'program.mjs'), nodeProgram);
    execute(home, process.execPath, 'program.mjs');
  });
  await check('reports say what they need, and their font ships with its licence', () => {
    writeFileSync(join(home, 'report.mjs'), reportProgram);
    execute(home, process.execPath, 'report.mjs');
    const fonts = readdirSync(join(home, 'node_modules/kernelwright/lib/report/fonts'));
    assert.deepEqual(fonts.sort(), ['Inter-Regular.ttf', 'OFL.txt']);
  });
  await check('strict TypeScript accepts it: nodenext, Node types, no DOM', () => {
    const types = join(root, 'node_modules/@types');
    typeCheck(typedCore + typedNode + typedReport, {
      module: 'NodeNext',
      lib: ['ES2022'],
      typeRoots: [types],
      types: ['node'],
    });
  });
  await check('strict TypeScript accepts it: bundler, DOM, no Node types', () => {
    typeCheck(typedCore, { module: 'ESNext', moduleResolution: 'bundler', lib: ['ES2022', 'DOM'], types: [] });
  });
  await check('Vite bundles it for a browser, without anything of Node, and drops what is not used', async () => {
    const whole = await bundle(`import * as all from 'kernelwright'; globalThis.kept = all;`);
    const one = await bundle(`import { relu } from 'kernelwright'; globalThis.kept = relu;`);
    const fit = await bundle(`import { fit } from 'kernelwright'; globalThis.kept = fit;`);
    const sgd = await bundle(`import { SGD } from 'kernelwright'; globalThis.kept = SGD;`);
    console.log(
      `  ${kib(whole.code.length)} whole, ${kib(fit.code.length)} for fit, ${kib(one.code.length)} for relu alone`,
    );
    assert.doesNotMatch(whole.code, /["'\`]node:|__vite-browser-external/);
    assert.ok(one.code.length < whole.code.length / 2, 'the bundle of one function holds more than it needs');
    // The list of all operations is for tests and tools: through it a bundle would hold every kernel.
    assert.ok(
      !whole.modules.some((file) => /ops\/(index|rooms)\.js$/.test(file)),
      'the list of operations is in the bundle',
    );
    assert.ok(!sgd.modules.some((file) => /optim\/adam/.test(file)), 'the bundle of SGD holds Adam');
    assert.ok(!one.modules.some((file) => /ops\/(matmul|softmax|gather)\b/.test(file)), one.modules.join('\n'));
    assert.ok(!fit.modules.some((file) => file.includes('/webgpu/')), 'the bundle of fit holds the WebGPU device');
  });
  await check('a page that trains on both devices is small', async () => {
    const { atStart, later, modules } = await bundle(
      `import { fit, openDevice } from 'kernelwright'; globalThis.kept = [fit, openDevice];`,
    );
    const [gzipped, rest] = [gzipSync(atStart).length, gzipSync(later).length];
    console.log(`  ${kib(atStart.length)}, ${kilobytes(gzipped)} gzipped; ${kilobytes(rest)} more where it tunes`);
    assert.ok(
      modules.some((file) => file.includes('/tuning/')),
      'the page cannot tune',
    );
    assert.ok(gzipped < pageLimit, `${gzipped} bytes gzipped, more than ${pageLimit}`);
  });
  await check('a bundled program computes: what data() needs is in every bundle', async () => {
    const { code } = await bundle(`
      import { relu, tensor } from 'kernelwright';
      if ((await relu(tensor([-1, 2])).data()).join() !== '0,2') throw new Error('relu is wrong');
    `);
    writeFileSync(join(home, 'bundled.mjs'), code);
    execute(home, process.execPath, 'bundled.mjs');
  });
  const kernelwright = (...words: string[]): string =>
    execute(home, join(home, 'node_modules/.bin/kernelwright'), ...words);
  const drawn = (part: string): string => join(root, 'examples/pictures', part);
  await check('kernelwright trains, predicts, evaluates and sums up', () => {
    const trained = kernelwright(
      'train',
      drawn('train'),
      '--model',
      'mynet',
      '--epochs',
      '1',
      '--json',
      '--device',
      'cpu',
    );
    const { best: model, history } = JSON.parse(trained) as { best: string; history: { epoch: number }[] };
    assert.deepEqual(
      history.map(({ epoch }) => epoch),
      [1],
    );
    const predicted = kernelwright('predict', model, drawn('test'), '--json', '--device', 'cpu');
    assert.equal((JSON.parse(predicted) as unknown[]).length, 4);
    assert.match(kernelwright('evaluate', model, drawn('test'), '--device', 'cpu'), /^4 pictures .*\nloss \d/);
    assert.match(kernelwright('summary', model), /^net: mynet \(MyNet\)\nclasses: HookWrench, SpannerWrench\n/);
  });
  await check('kernelwright audits pictures and examines the machine', () => {
    assert.match(kernelwright('audit', drawn('train')), /^Pictures: 440; 2 classes\n/);
    assert.match(kernelwright('doctor', '--device', 'cpu'), /(\d+) of \1 operations agree with their references/);
    assert.match(kernelwright('--version'), /^\d+\.\d+\.\d+\n$/);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
if (total.failed > 0) process.exitCode = 1;

/** Runs one check and says how it went; a failure does not stop the others. */
async function check(name: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
    total.passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    total.failed++;
    console.log(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Runs a program to its end and gives what it printed; throws that where it fails. */
function execute(directory: string, program: string, ...words: string[]): string {
  // What npm tells the scripts that it runs would mislead the npm that is run here, and a device is not to be forced.
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|KERNELWRIGHT_)/i.test(name));
  const { status, error, stdout, stderr } = spawnSync(program, words, {
    cwd: directory,
    env: Object.fromEntries(kept),
    encoding: 'utf8',
    timeout: 180_000,
  });
  if (status !== 0)
    throw new Error(`${words.join(' ')}: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs the npm that runs this script. */
function npm(directory: string, ...words: string[]): void {
  const script = process.env['npm_execpath'];
  if (script === undefined) throw new Error('run this through npm: npm run test:package');
  execute(directory, process.execPath, script, ...words);
}

/** Runs a tool of this project's development packages in the consumer's folder. */
function tool(script: string, ...words: string[]): void {
  execute(home, process.execPath, join(root, 'node_modules', script), ...words);
}

function typeCheck(program: string, options: object): void {
  writeFileSync(join(home, 'program.mts'), program);
  const project = { compilerOptions: { ...strictest, ...options }, files: ['program.mts'] };
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify(project));
  tool('typescript/bin/tsc', '-p', 'tsconfig.json');
}

/** What Vite makes of a program, minified. */
interface Bundle {
  /** Everything. */
  readonly code: string;
  /** What a page loads before it runs. */
  readonly atStart: string;
  /** What it loads when it is asked for. */
  readonly later: string;
  /** Files that something of is in it. */
  readonly modules: readonly string[];
}

async function bundle(program: string): Promise<Bundle> {
  const input = join(home, 'program.js');
  writeFileSync(input, program);
  const built = await build({
    root: home,
    configFile: false,
    logLevel: 'error',
    build: { write: false, modulePreload: false, target: 'esnext', rolldownOptions: { input } },
  });
  if (!Array.isArray(built) && !('output' in built)) throw new Error('Vite is watching instead of building');
  const files = [built].flat().flatMap(({ output }) => output);
  const textOf = (some: typeof files): string =>
    some.map((file) => (file.type === 'chunk' ? file.code : file.source.toString())).join('\n');
  const chunks = files.filter((file) => file.type === 'chunk');
  const isLater = new Set(chunks.flatMap(({ dynamicImports }) => dynamicImports));
  const modules = chunks.flatMap((chunk) => Object.entries(chunk.modules));
  return {
    code: textOf(files),
    atStart: textOf(files.filter(({ fileName }) => !isLater.has(fileName))),
    later: textOf(files.filter(({ fileName }) => isLater.has(fileName))),
    modules: modules.flatMap(([file, { renderedLength }]) => (renderedLength > 0 ? [file] : [])),
  };
}

function sizeOf(path: string): number {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

function kib(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KiB`;
}
