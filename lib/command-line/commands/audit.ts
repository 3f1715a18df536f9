import { audit, auditLines } from '../../node/index.js';
import { checkWords } from '../arguments.js';
import { defineCommand } from '../command.js';
import { OUTPUT_OPTIONS, outputFor } from '../shared-options.js';

export const auditCommand = defineCommand({
  name: 'audit',
  words: 'DIR',
  summary: 'Looks through pictures for what a training would suffer from.',
  options: { ...OUTPUT_OPTIONS, verbose: { help: 'name all duplicates and odd pictures' } },
  notes: [
    '',
    'DIR has a sub-folder for each class, or train, valid and test with such sub-folders. Told are files that cannot be read, the',
    'same picture twice, above all in two parts or under two classes, the balance of the classes, odd sizes and shapes. The exit',
    'code is 1 where train would stop: at a file that cannot be read, at a class without a picture to train on, at one class. All else',
    'is for you to judge.',
  ],
  async run(values, words) {
    checkWords(words, 'one folder of pictures: kernelwright audit DIR', 1, 1);
    const [directory = ''] = words;
    const output = outputFor(values);
    const report = await audit(directory, { onProgress: output.counter('pictures') });
    const lines = auditLines(report, { verbose: values.verbose === true });
    output.result(lines.join('\n'), report);
    const { unreadable, classNames, splits } = report;
    const isUsable = unreadable.length === 0 && classNames.length > 1 && splits[0]?.counts.every((count) => count > 0);
    return isUsable === true ? 0 : 1;
  },
});
