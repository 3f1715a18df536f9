import { checkArgument, checkOptions, text } from '../../options.js';
import { type ProgressBarOptions, streamRule } from './progress-bar.js';
import { TerminalBar } from './terminal-bar.js';

/**
 * Shows how much of something is done: for `onProgress` of {@link imageFolder} and `onCompile` of {@link openDevice}. On a
 * terminal a bar, elsewhere a line once all is done.
 *
 *     const data = await imageFolder('photos', { size: [64, 64], onProgress: countBar('pictures') });
 *
 * @param what is counted: `pictures`
 * @returns what takes how many are done, and how many there are so far
 * Throws OptionError for what is no text, or an unknown or unusable option.
 */
export function countBar(what: string, options: ProgressBarOptions = {}): (done: number, total: number) => void {
  checkArgument('countBar', 'what', what, text);
  checkOptions('countBar', options, { stream: streamRule });
  const { stream = process.stderr } = options;
  let bar: TerminalBar | undefined;
  return (done, total) => {
    const said = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`;
    if (stream.isTTY === true) {
      bar ??= new TerminalBar(stream, total, done, said);
      bar.update(done, said);
    }
    if (done < total) return;
    if (bar) bar.stop();
    else stream.write(`${total.toLocaleString('en')} ${what}\n`);
    bar = undefined;
  };
}
