import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { root } from '../../tools/root.js';

/** How a program ended, and what it printed. */
export interface Ending {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs examples/mynet/main.ts on the CPU. */
export function runMyNet(
  args: readonly string[],
  onOutput?: (text: string, interrupt: () => void) => void,
): Promise<Ending> {
  return runExample('mynet/main.ts', ['--device', 'cpu', ...args], onOutput);
}

/** Runs a program that trains a net, on the CPU. */
export function runTraining(name: string, args: readonly string[]): Promise<Ending> {
  return runExample(`${name}/main.ts`, ['--device', 'cpu', ...args]);
}

/** Runs a program of examples in a process of its own, in the project's folder. */
export function runExample(
  program: string,
  args: readonly string[],
  onOutput?: (text: string, interrupt: () => void) => void,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', `examples/${program}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onOutput?.(output, () => child.kill('SIGINT'));
    });
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-mynet-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Pictures of 32 x 24, light ones in the first class and dark ones in the second, with some noise. */
export async function drawPictures(folder: string, classes: readonly string[], count: number): Promise<string> {
  for (const [label, name] of classes.entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const png = new PNG({ width: 32, height: 24 });
      png.data.forEach((_, at) => {
        const noise = Math.imul(at * 31 + i * 7 + label + 1, 0x9e3779b9) >>> 26; // 0 … 63
        png.data[at] = at % 4 === 3 ? 255 : (label === 0 ? 160 : 40) + noise;
      });
      await writeFile(join(folder, name, `${name}_${i}.png`), PNG.sync.write(png));
    }
  }
  return folder;
}

/** A JSON file, as an object with unknown fields. */
export async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
