import type { Operation } from '../graph/operation.js';
import { accuracyOperations } from './loss/accuracy.js';
import { activationOperations } from './pointwise/activations.js';
import { advance } from './state/advance.js';
import { batchRows } from './state/batch-rows.js';
import { argmaxOperations } from './reduce/argmax.js';
import { arithmeticOperations } from './pointwise/arithmetic.js';
import { assign } from './state/assign.js';
import { bytesOperations } from './moving/bytes.js';
import { castOperations } from './pointwise/cast.js';
import { concatOperations } from './moving/concat.js';
import { copyOperation } from './moving/copy.js';
import { dropoutOperations } from './random/dropout.js';
import { extremeOperations } from './reduce/extremes.js';
import { gatherOperations } from './moving/gather.js';
import { lossOperations } from './loss/losses.js';
import { mathOperations } from './pointwise/math.js';
import { matmulOperations } from './matmul/matmul.js';
import { meterUpdate } from './state/meter.js';
import { likelihoodOperations } from './loss/negative-log-likelihood.js';
import { randomOperations } from './random/random.js';
import { reshapeOperations } from './moving/reshape.js';
import { adagradOperations } from './update/adagrad.js';
import { adamOperations } from './update/adam.js';
import { rmspropOperations } from './update/rmsprop.js';
import { sgdOperations } from './update/sgd.js';
import { sliceOperations } from './moving/slice.js';
import { crossEntropyOperations } from './loss/softmax-cross-entropy.js';
import { softmaxOperations } from './normalize/softmax.js';
import { stopGradientOperation } from './moving/stop-gradient.js';
import { sumOperations } from './reduce/sum.js';
import { transposeOperations } from './moving/transpose.js';

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
  stopGradientOperation,
  ...transposeOperations,
  ...castOperations,
  ...concatOperations,
  ...sliceOperations,
  ...gatherOperations,
  ...bytesOperations,
  ...dropoutOperations,
  ...randomOperations,
  ...crossEntropyOperations,
  ...likelihoodOperations,
  ...lossOperations,
  ...accuracyOperations,
  ...sgdOperations,
  ...adamOperations,
  ...rmspropOperations,
  ...adagradOperations,
  meterUpdate,
  assign,
  advance,
  batchRows,
  copyOperation,
];
