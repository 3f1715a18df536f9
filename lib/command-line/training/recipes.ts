import { ARCHITECTURES, type ArchitectureName } from '../../models/architectures.js';
import type { OptimizerSettings } from './optimizers.js';

/** How a net is trained where a command line does not say. */
export interface Recipe extends OptimizerSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Width and height that pictures are resized to. */
  readonly inputSize: number;
  /** The same where there is no GPU. */
  readonly inputSizeOnCpu: number;
  /** Probability of dropping a feature before the last layer; of MyNet, a hidden unit. */
  readonly dropout: number;
}

const OF_ALL = { batchSize: 32, inputSizeOnCpu: 64 };

const MYNET: Recipe = {
  ...{ ...OF_ALL, epochs: 40, inputSize: 28, inputSizeOnCpu: 28, dropout: 0.5 },
  ...{ optimizer: 'sgd', learningRate: 0.001, momentum: 0.9, schedule: 'constant' },
};

const SMALL_NET: Recipe = {
  ...{ ...OF_ALL, epochs: 20, inputSize: 64, dropout: 0.2 },
  ...{ optimizer: 'adamw', learningRate: 0.0015, weightDecay: 0.05, schedule: 'one-cycle' },
};

/** As the article has it: with dropout of one half before a new last layer. */
const LARGE_NET: Recipe = {
  ...{ ...OF_ALL, epochs: 20, inputSize: 224, dropout: 0.5 },
  ...{ optimizer: 'sgd', learningRate: 0.01, momentum: 0.9, schedule: 'constant' },
};

/** The recipes of the nets. */
export const RECIPES: Readonly<Record<ArchitectureName, Recipe>> = {
  mynet: MYNET,
  mynet2: MYNET,
  convnet: SMALL_NET,
  resnet8: SMALL_NET,
  resnet18: LARGE_NET,
  resnet50: LARGE_NET,
  'mobilenet-v1': { ...LARGE_NET, inputSize: 192 },
  'mobilenet-v2': { ...LARGE_NET, inputSize: 192 },
};

/** The recipes as help texts list them, a line a net. */
export function recipeLines(): string[] {
  return Object.entries(RECIPES).map(([name, recipe]) => {
    const { inputSize, inputSizeOnCpu, epochs, optimizer, learningRate, dropout } = recipe;
    const sizes = inputSize === inputSizeOnCpu ? `${inputSize}` : `${inputSize} (${inputSizeOnCpu} without a GPU)`;
    const { title } = ARCHITECTURES[name as ArchitectureName];
    return `  ${name.padEnd(14)}${title}: size ${sizes}, ${epochs} epochs of ${optimizer} ${learningRate}, dropout ${dropout}`;
  });
}
