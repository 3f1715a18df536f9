import { execFile } from 'node:child_process';
import test from 'tape';
import { root } from '../tools/root.js';

test('no array of weights or data becomes a list of JavaScript numbers on the way', (t) => {
  // 64 MB of heap; a list of four million numbers that are no small integers takes 96.
  const args = ['--max-old-space-size=64', '--import', 'tsx', 'test/support/large-arrays.ts'];
  execFile(process.execPath, args, { cwd: root }, (error, output, errors) => {
    t.equal(error?.code ?? 0, 0, errors.slice(-500));
    t.equal(output.trim().split('\n').at(-1), 'done');
    t.end();
  });
});
