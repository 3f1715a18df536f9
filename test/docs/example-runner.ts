/**
 * Runs programs one after the other in one process, which loads the library once:
 *
 *     example-runner FOLDER FILE [FOLDER FILE ...]
 *
 * and tells the process that started it of each, when it is over, what went wrong, or nothing.
 */
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

const words = process.argv.slice(2);
for (let i = 0; i + 1 < words.length; i += 2) {
  const [folder = '', file = ''] = words.slice(i, i + 2);
  process.chdir(folder);
  const fault = await import(pathToFileURL(file).href).then(
    () => undefined,
    (error: unknown) => inspect(error),
  );
  process.send?.({ file, fault });
}
process.disconnect();
