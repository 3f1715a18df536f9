import { type Device, type Module, SGD } from '../../index.js';
import { numberOption } from '../arguments.js';
import { IMAGENET, normalized } from '../training/normalized.js';
import { shareOption, textOption } from '../training/options.js';
import { loadPretrained } from '../training/pretrained.js';
import type { Program } from '../training/program.js';

/** A net of torchvision's, as the article used it: with dropout of one half before a new last layer. */
export interface LargeNet<Net extends Module> {
  readonly name: string;
  readonly title: string;
  /** Width and height of the article's pictures. */
  readonly articleSize: number;
  readonly epochs: number;
  /** The name of the last layer, or of what holds it. */
  readonly head: string;
  readonly net: (options: { readonly classes: number; readonly dropout: number }) => Net;
}

/** Pictures where there is no GPU. */
const SMALL = 64;
const SIZES = { min: 32, max: 4096, isWhole: true };

/** A program that trains one of the large nets, from the beginning or from a file. */
export function largeNet<Net extends Module>({ name, title, articleSize, epochs, head, net }: LargeNet<Net>) {
  const program: Program<'input-size' | 'weights' | 'freeze' | 'learning-rate' | 'momentum' | 'dropout', Net> = {
    name,
    defaults: { epochs, batchSize: 32, out: `runs/${name}` },
    options: {
      'input-size': {
        value: 'N',
        help: `width and height that pictures are resized to, at least 32 (default ${articleSize}; ${SMALL} without a GPU)`,
      },
      weights: { value: 'FILE', help: "weights to start from, a .safetensors file with torchvision's names" },
      freeze: { help: 'train the last layer only' },
      'learning-rate': { value: 'X', help: 'step size of SGD (default 0.01)' },
      momentum: { value: 'X', help: 'momentum of SGD (default 0.9)' },
      dropout: { value: 'P', help: 'probability of dropping a feature before the last layer (default 0.5)' },
    },
    task(values) {
      const inputSize =
        values['input-size'] === undefined
          ? undefined
          : numberOption('input-size', values['input-size'], articleSize, SIZES);
      const weights = textOption(values.weights);
      const freeze = values.freeze === true;
      const learningRate = numberOption('learning-rate', values['learning-rate'], 0.01, { min: 0 });
      const momentum = numberOption('momentum', values.momentum, 0.9, { min: 0 });
      const dropout = shareOption('dropout', values.dropout, 0.5);
      return {
        title,
        settings: { inputSize, weights, freeze, learningRate, momentum, dropout },
        size: ({ info }: Device) => inputSize ?? (info.kind === 'webgpu' ? articleSize : SMALL),
        layout: 'channels-last',
        arrange: (pictures) => normalized(pictures, IMAGENET),
        net: (classes) => net({ classes, dropout }),
        async prepare(own) {
          if (weights !== undefined) await loadPretrained(own, head, weights);
          if (freeze) own.freeze().unfreeze(head);
        },
        optimizer: () => new SGD({ learningRate, momentum }),
      };
    },
  };
  return program;
}
