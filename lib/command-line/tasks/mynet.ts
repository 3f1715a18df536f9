import { type MyNet, myNet, SGD } from '../../index.js';
import { numberOption } from '../arguments.js';
import { shareOption } from '../training/options.js';
import type { Program } from '../training/program.js';

/** Width and height that every picture is resized to. */
const SIZE = 28;
/** 154 million weights, 0.6 GB, and as much again for the momentum. */
const MOST_HIDDEN = 65_536;

const DEFAULTS = { learningRate: 0.001, momentum: 0.9 };
/** https://qiita.com/moriitkys/items/316fcca8d83dfa706597 */
const ARTICLE = { learningRate: 0.001, momentum: 0 };

/** `npm run mynet` */
export const mynetProgram: Program<'article' | 'hidden' | 'learning-rate' | 'momentum' | 'dropout', MyNet> = {
  name: 'mynet',
  defaults: { epochs: 40, batchSize: 32, out: 'runs/mynet' },
  options: {
    article: { help: "the article's values: learning rate 0.001 without momentum" },
    hidden: { value: 'N', help: 'units of the hidden layer, at most 65,536 (default 200)' },
    'learning-rate': { value: 'X', help: 'step size of SGD (default 0.001)' },
    momentum: { value: 'X', help: 'momentum of SGD (default 0.9)' },
    dropout: { value: 'P', help: 'probability of dropping a hidden unit (default 0.5)' },
  },
  task(values) {
    const usual = values.article ? ARTICLE : DEFAULTS;
    const hidden = numberOption('hidden', values.hidden, 200, { min: 1, max: MOST_HIDDEN, isWhole: true });
    const learningRate = numberOption('learning-rate', values['learning-rate'], usual.learningRate, { min: 0 });
    const momentum = numberOption('momentum', values.momentum, usual.momentum, { min: 0 });
    const dropout = shareOption('dropout', values.dropout, 0.5);
    return {
      title: 'MyNet',
      settings: { hidden, learningRate, momentum, dropout },
      size: () => SIZE,
      layout: 'channels-first',
      // Each as one row of numbers in the order channel, row, column.
      arrange: (pictures) => ({
        ...pictures,
        inputShape: [pictures.inputShape.reduce((product, size) => product * size, 1)],
      }),
      net: (classes) => myNet({ hidden, classes, dropout }),
      optimizer: () => new SGD({ learningRate, momentum }),
    };
  },
};
