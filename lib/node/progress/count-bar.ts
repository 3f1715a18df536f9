import { checkArgument, checkOptions, text } from '../../options.js';
import { PROGRESS_RULES, type ProgressBarOptions } from './progress-bar.js';
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
  checkOptions('countBar', options, PROGRESS_RULES);
  const { stream = process.stderr, leave = true } = options;
  const bar = stream.isTTY === true ? new TerminalBar(stream) : undefined;
  return (done, total) => {
    const said = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`;
    bar?.update(done, total, said);
    if (done < total) return;
    if (bar) bar.stop(leave);
    else stream.write(`${total.toLocaleString('en')} ${what}\n`);
  };
}
