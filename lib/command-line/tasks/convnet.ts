import { AdamW, type ConvNet, convNet } from '../../index.js';
import { numberOption } from '../arguments.js';
import { CENTRED, normalized } from '../training/normalized.js';
import { shareOption } from '../training/options.js';
import type { Program } from '../training/program.js';
import { oneCycle } from './one-cycle.js';

/** Four times halved it must leave a pixel; 4096 × 4096 numbers of 16 channels are 1 GB a picture. */
const SIZES = { min: 16, max: 4096, isWhole: true };

/** `npm run convnet` */
export const convnetProgram: Program<'learning-rate' | 'weight-decay' | 'dropout' | 'input-size', ConvNet> = {
  name: 'convnet',
  defaults: { epochs: 20, batchSize: 32, out: 'runs/convnet' },
  options: {
    'learning-rate': {
      value: 'X',
      help: 'largest step size of AdamW, reached after a fifth of the steps (default 0.0015)',
    },
    'weight-decay': { value: 'X', help: 'share of the step size that a weight shrinks by in each step (default 0.05)' },
    dropout: { value: 'P', help: 'probability of dropping a feature before the last layer (default 0.2)' },
    'input-size': { value: 'N', help: 'width and height that pictures are resized to, at least 16 (default 64)' },
  },
  task(values) {
    const learningRate = numberOption('learning-rate', values['learning-rate'], 0.0015, { min: 0 });
    const weightDecay = numberOption('weight-decay', values['weight-decay'], 0.05, { min: 0 });
    const dropout = shareOption('dropout', values.dropout, 0.2);
    const inputSize = numberOption('input-size', values['input-size'], 64, SIZES);
    return {
      title: 'The small convolutional net',
      settings: { learningRate, weightDecay, dropout, inputSize },
      size: () => inputSize,
      layout: 'channels-last',
      arrange: (pictures) => normalized(pictures, CENTRED),
      net: (classes) => convNet({ classes, dropout }),
      optimizer: (steps) => new AdamW({ learningRate: oneCycle(learningRate, steps), weightDecay }),
    };
  },
};
