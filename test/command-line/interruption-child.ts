/** Says when it is interrupted, and two seconds later works on without a pause, for ten seconds at most. */
import { writeSync } from 'node:fs';
import { Interruption } from '../../lib/command-line/training/interruption.js';

const { signal } = new Interruption(() => writeSync(1, 'interrupted\n'));
writeSync(1, 'listening\n');
signal.addEventListener('abort', () => {
  setTimeout(() => {
    writeSync(1, 'working\n');
    const end = Date.now() + 10_000;
    while (Date.now() < end);
  }, 2000);
});
setTimeout(() => undefined, 20_000);
