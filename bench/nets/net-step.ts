import {
  DataLoader,
  type Device,
  fromArrays,
  loadState,
  mobileNetV2,
  type Module,
  resnet50,
  SGD,
} from '../../lib/index.js';
import { TrainingStep } from '../step/training-step.js';
import { NET_CLASSES, type NetDescription, type NetName } from './description.js';
import { CHANNELS, makeNetWorkload, NET_LEARNING_RATE, NET_MOMENTUM } from './workload.js';

/** The library's own models of the nets; nothing is dropped, so that losses can be compared. */
const MODELS: Readonly<Record<NetName, () => Module>> = {
  mobilenet: () => mobileNetV2({ classes: NET_CLASSES, dropout: 0 }),
  resnet50: () => resnet50({ classes: NET_CLASSES }),
};

/** The training step of a convolutional net on the numbers that every library gets. */
export function netStep(device: Device, net: NetDescription): TrainingStep {
  const { pictureSize, batch, name } = net;
  const inputShape = [pictureSize, pictureSize, CHANNELS];
  const work = makeNetWorkload(net);
  const model = MODELS[name]().build(inputShape);
  const tensors = Array.from(work.parameters, ([of, { shape, data }]) => [of, { dtype: 'F32', shape, data }] as const);
  const { extra } = loadState(model, { tensors: new Map(tensors) }, { strict: false });
  if (extra.length > 0) throw new Error(`the model has no ${extra.join(', ')}`);
  const data = fromArrays(work.pictures, work.labels, { inputShape });
  return new TrainingStep(device, {
    model,
    loader: new DataLoader(data, { batchSize: batch, shuffle: false }),
    optimizer: new SGD({ learningRate: NET_LEARNING_RATE, momentum: NET_MOMENTUM }),
    hasAccuracy: false,
  });
}
