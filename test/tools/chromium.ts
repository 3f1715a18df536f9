/**
 * The browser of the tests: the Chromium of the development package `@sparticuz/chromium`, on Linux x64 with nothing to
 * install and no root, or the Chrome or Chromium that CHROME_PATH names.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-fs';

import { packagedFile, packageRunsHere, unpackOnce } from './chromium-package.js';

/** WebGPU on the SwiftShader that comes with the browser; no sandbox, which needs root or user namespaces. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--no-first-run',
  '--disable-dev-shm-usage',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--remote-debugging-pipe',
];

/** A browser that was started, and the two ends of the pipe by which it is talked to. */
export interface StartedChromium {
  readonly commands: NodeJS.WritableStream;
  readonly messages: NodeJS.ReadableStream;
  /** Settles when the browser is gone, with what it printed last. */
  readonly ended: Promise<string>;
  /** Ends it and removes its profile. */
  stop(): Promise<void>;
}

/** Starts a headless browser with an empty profile. Rejects, saying how to get one, where there is none. */
export async function startChromium(): Promise<StartedChromium> {
  const { program, environment } = await findChromium();
  const profile = mkdtempSync(join(tmpdir(), 'kernelwright-browser-'));
  const child = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const ended = endOf(child, program);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const [, , , commands, messages] = child.stdio;
  if (!commands || !messages || !('write' in commands) || !('read' in messages)) throw new Error('no pipe was made');
  commands.on('error', () => undefined); // a browser that is gone: `ended` says why
  return {
    commands,
    messages,
    ended,
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function findChromium(): Promise<{ program: string; environment: Record<string, string> }> {
  const named = process.env['CHROME_PATH'];
  if (named) return { program: named, environment: {} };
  if (!packageRunsHere) {
    throw new Error(
      `No browser for the tests on this machine (${process.platform} ${process.arch}): that of the development packages ` +
        'is for Linux x64 only. Install Chrome or Chromium 113 or later and name its program in CHROME_PATH.',
    );
  }
  const folder = await unpackOnce('chromium', async (half) => {
    await mkdir(half);
    await Promise.all([
      pipeline(packagedFile('chromium'), createWriteStream(join(half, 'chromium'), { mode: 0o755 })),
      ...['swiftshader.tar', 'al2023.tar', 'fonts.tar'].map((file) => pipeline(packagedFile(file), extract(half))),
    ]);
  });
  // Libraries and fonts that bare machines lack.
  const libraries = [join(folder, 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  return {
    program: join(folder, 'chromium'),
    environment: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder },
  };
}

function endOf(child: ChildProcess, program: string): Promise<string> {
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-2000)));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`${program} could not be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(`${program} ended (${signal ?? code}):\n${printed}`));
  });
}
