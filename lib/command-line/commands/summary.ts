import type { PictureClassifier } from '../../index.js';
import { ARCHITECTURES } from '../../models/architectures.js';
import { loadModel } from '../../node/index.js';
import { printable } from '../../printable.js';
import { checkWords } from '../arguments.js';
import { defineCommand } from '../command.js';
import { OUTPUT_OPTIONS, outputFor } from '../shared-options.js';

export const summaryCommand = defineCommand({
  name: 'summary',
  words: 'MODEL',
  summary: 'Says what a model is: net, classes, pictures, layers and numbers of parameters.',
  options: OUTPUT_OPTIONS,
  async run(values, words) {
    checkWords(words, 'one model: kernelwright summary MODEL', 1, 1);
    const [path = ''] = words;
    const output = outputFor(values);
    const model = await loadModel(path);
    const { text, ...summary } = model.summary(() => undefined);
    output.result([...factsOf(model), '', text].join('\n'), { ...model.description, ...summary });
    return 0;
  },
});

function factsOf({ description }: PictureClassifier): string[] {
  const { architecture, classNames, size, storedSize, layout, normalization } = description;
  const { mean, deviation } = normalization ?? {};
  return [
    `net: ${architecture} (${ARCHITECTURES[architecture].title})`,
    `classes: ${printable(classNames.join(', '))}`,
    `pictures: ${storedSize ? `${storedSize.width} × ${storedSize.height}, squeezed to ` : ''}${size.width} × ${size.height}, ${layout}, numbers from 0 to 1` +
      (mean && deviation ? `, less ${mean.join(', ')}, divided by ${deviation.join(', ')}` : ''),
  ];
}
