import { type ChildProcess, spawn } from 'node:child_process';
import { root } from '../../tools/root.js';
import type { Ending } from '../examples/program.js';

/** Runs `kernelwright` from its sources on the CPU; `onOutput` is given all that it has printed so far, on either stream. */
export function kernelwright(
  args: readonly string[],
  onOutput?: (text: string, child: ChildProcess) => void,
): Promise<Ending & { readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'lib/command-line/main.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KERNELWRIGHT_DEVICE: 'cpu' },
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onOutput?.(output + errors, child);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
      onOutput?.(output + errors, child);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output, errors }));
  });
}

/** What `--json` printed: one document. */
export function documentOf({ output, errors }: Ending): unknown {
  try {
    return JSON.parse(output);
  } catch {
    throw new Error(`no JSON document: ${output} ${errors}`);
  }
}
