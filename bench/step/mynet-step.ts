import { DataLoader, type Device, fromArrays, myNet, SGD } from '../../lib/index.js';
import { TrainingStep } from './training-step.js';
import { BATCH, CLASSES, HIDDEN, INPUTS, LEARNING_RATE, MOMENTUM, type Workload } from './workload.js';

/** MyNet's training step on the numbers that every library gets. */
export function myNetStep(device: Device, work: Workload, dropout: number): TrainingStep {
  const model = myNet({ hidden: HIDDEN, classes: CLASSES, dropout }).build([INPUTS]);
  for (const parameter of model.parameters()) {
    const initial = Object.entries(work.parameters).find(([name]) => name === parameter.name);
    if (!initial) throw new Error(`the workload has no numbers for ${parameter.name}`);
    parameter.set(initial[1].data);
  }
  const data = fromArrays(work.pictures, work.labels, { inputShape: [INPUTS] });
  return new TrainingStep(device, {
    model,
    loader: new DataLoader(data, { batchSize: BATCH, shuffle: false }),
    optimizer: new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM }),
    hasAccuracy: true,
  });
}
