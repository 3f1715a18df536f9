import {
  DataError,
  loadState,
  mobileNetV1,
  mobileNetV2,
  type Module,
  resnet18,
  resnet50,
  resnet8,
  type SafetensorsTensor,
  stateOf,
} from '../../lib/index.js';
import { elementAt } from '../../lib/element-at.js';
import type { Shape } from '../../lib/shape.js';
import { valuesByRule } from './rule.js';

/** The nets of the `models` folder, by their names there. Nothing is dropped. */
const NETS: Readonly<Record<string, (classes: number) => Module>> = {
  resnet18: (classes) => resnet18({ classes }),
  resnet50: (classes) => resnet50({ classes }),
  mobilenet_v1: (classes) => mobileNetV1({ classes, dropout: 0 }),
  mobilenet_v2: (classes) => mobileNetV2({ classes, dropout: 0 }),
};

/** Whether the library has the net. */
export function isNet(name: unknown): boolean {
  return typeof name === 'string' && Object.hasOwn(NETS, name);
}

/** A net with the weights that the rule makes. */
export async function netByRule(name: string, classes: number, picture: Shape, salt: string): Promise<Module> {
  const make = NETS[name];
  if (!make) throw new DataError(`there is no net '${name}': expected ${Object.keys(NETS).join(', ')}`);
  const model = make(classes).build(picture);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [own, { shape }] of await stateOf(model)) {
    tensors.set(own, { dtype: 'F32', shape, data: valuesByRule(own, shape, salt) });
  }
  loadState(model, { tensors });
  return model;
}

/** The trained net that a file of weights is of, by the names and shapes in it, with those weights. */
export function trainedNet(tensors: ReadonlyMap<string, SafetensorsTensor>, picture: Shape): Module {
  const channelsOf = (name: string): number => {
    const found = tensors.get(name);
    if (!found) throw new DataError(`the weights are of no known net: there is no ${name}`);
    return elementAt(found.shape, 0);
  };
  const classes = channelsOf('fc.weight');
  const model = tensors.has('conv_dw_1.weight')
    ? mobileNetV1({
        ...{ classes, width: channelsOf('conv1.weight') / 32, dropout: 0 },
        ...{ activation: 'relu', bias: tensors.has('conv1.bias') },
      })
    : resnet8({ classes });
  model.build(picture);
  loadState(model, { tensors });
  return model;
}
