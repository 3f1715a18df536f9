import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Installs this package by its lockfile (`npm ci`), unless that has been done since the lockfile changed. */
export function installPeers(): void {
  const [wanted, installed] = [changed('package-lock.json'), changed('node_modules/.package-lock.json')];
  if (wanted === undefined) throw new Error('bench/peers has no package-lock.json');
  if (installed !== undefined && installed >= wanted) return;
  console.error('installing the other libraries (bench/peers)');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm ci failed in bench/peers');
}

function changed(file: string): number | undefined {
  return statSync(`${folder}/${file}`, { throwIfNoEntry: false })?.mtimeMs;
}
