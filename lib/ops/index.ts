import type { Operation } from '../graph/operation.js';
import { accuracyOperations } from './accuracy.js';
import { activationOperations } from './activations.js';
import { advance } from './advance.js';
import { batchRows } from './batch-rows.js';
import { learningRateOperation } from './optimizer-state.js';
import { argmaxOperations } from './argmax.js';
import { arithmeticOperations } from './arithmetic.js';
import { assign } from './assign.js';
import { broadcastOperations } from './broadcast-to.js';
import { castOperations } from './cast.js';
import { concatOperations } from './concat.js';
import { copyOperation } from './copy.js';
import { dropoutOperations } from './dropout.js';
import { extremeOperations } from './extremes.js';
import { gatherOperations } from './gather.js';
import { lossOperations } from './losses.js';
import { mathOperations } from './math.js';
import { matmulOperations } from './matmul.js';
import { meterUpdate } from './meter.js';
import { likelihoodOperations } from './negative-log-likelihood.js';
import { randomOperations } from './random.js';
import { reshapeOperations } from './reshape.js';
import { sgdOperations } from './sgd.js';
import { sliceOperations } from './slice.js';
import { crossEntropyOperations } from './softmax-cross-entropy.js';
import { softmaxOperations } from './softmax.js';
import { sumOperations } from './sum.js';
import { transposeOperations } from './transpose.js';

/**
 * Every operation. Being in this list makes an operation take part in the gradient checks, the tests of devices
 * against references, and the table of operations in the docs.
 */
export const operations: readonly Operation[] = [
  ...matmulOperations,
  ...arithmeticOperations,
  ...mathOperations,
  ...activationOperations,
  ...softmaxOperations,
  ...sumOperations,
  ...extremeOperations,
  ...argmaxOperations,
  ...reshapeOperations,
  ...transposeOperations,
  ...castOperations,
  ...concatOperations,
  ...sliceOperations,
  ...broadcastOperations,
  ...gatherOperations,
  ...dropoutOperations,
  ...randomOperations,
  ...crossEntropyOperations,
  ...likelihoodOperations,
  ...lossOperations,
  ...accuracyOperations,
  ...sgdOperations,
  meterUpdate,
  assign,
  advance,
  batchRows,
  learningRateOperation,
  copyOperation,
];
