/** Layers, sizes and counts of the nets, as PyTorch and Keras have them. */
import { readFile } from 'node:fs/promises';
import test from 'tape';
import {
  convNet,
  myNet,
  myNet2,
  Flatten,
  mobileNetV1,
  mobileNetV2,
  type Module,
  OptionError,
  resnet18,
  resnet50,
  resnet8,
} from '../../lib/index.js';
import { refuses } from '../support/errors.js';

const silently = (): void => undefined;

interface Net {
  readonly input: string;
  readonly totals: readonly string[];
  /** Name, output, parameters, running statistics, as they stand in the file. */
  readonly layers: readonly string[];
}

/** test/fixtures/net-layers.txt */
async function netsOfPyTorch(): Promise<Map<string, Net>> {
  const text = await readFile(new URL('../fixtures/net-layers.txt', import.meta.url), 'utf8');
  const blocks = text.split(/^net /m).slice(1);
  return new Map(
    blocks.map((block) => {
      const [head = '', ...layers] = block.trim().split('\n');
      const [name = '', input = '', ...totals] = head.split(' ');
      return [name, { input, totals, layers }];
    }),
  );
}

for (const [name, make, multiplyAdds] of [
  ['resnet50', () => resnet50({ classes: 2 }), 4_087_140_352],
  ['mobilenet_v1', () => mobileNetV1({ classes: 2 }), 417_099_776],
  ['mobilenet_v2', () => mobileNetV2({ classes: 2 }), 220_039_168],
] as const) {
  test(`${name} has the layers, outputs and counts that PyTorch tells`, async (t) => {
    const expected = (await netsOfPyTorch()).get(name);
    const [channels = 0, height = 0, width = 0] = expected?.input.split('x').map(Number) ?? [];
    const { layers, ...totals } = make().build([height, width, channels]).summary(silently);
    const names = new Set(expected?.layers.map((line) => line.split(' ')[0]));
    const counted = layers.filter((layer) => names.has(layer.name));
    const lines = counted.map(({ name: layer, outputShape, parameters, buffers }) => {
      const [last = 0, ...places] = outputShape.toReversed();
      const output = layer === 'avgpool' ? [last, 1, 1] : [last, ...places.reverse()];
      return [layer, output.join('x'), parameters, buffers].join(' ');
    });
    t.deepEqual(lines, expected?.layers);
    for (const { name: layer, parameters, buffers } of layers) {
      if (!names.has(layer)) t.equal(parameters + buffers, 0, `${layer} has no numbers`);
    }
    t.deepEqual([totals.parameters, totals.buffers].map(String), expected?.totals);
    t.equal(totals.multiplyAdds, multiplyAdds);
  });
}

test("Keras's totals, which hold the running statistics, are parameters and buffers", (t) => {
  const total = (model: Module, size: number): number => {
    const { parameters, buffers } = model.build([size, size, 3]).summary(silently);
    return parameters + buffers;
  };
  t.equal(total(mobileNetV1({ classes: 2 }), 96), 3_230_914);
  t.equal(total(mobileNetV1(), 32) - 1000 * 1025, 3_228_864, 'without a head');
  t.equal(total(mobileNetV1(), 32), 4_253_864);
  for (const [size, expected] of [
    [192, 3_302_594],
    [224, 3_329_218],
  ] as const) {
    // prettier-ignore
    const flat = mobileNetV1({ classes: 2 });
    flat.avgpool = new Flatten();
    t.equal(total(flat, size), expected, `a flat head at ${size}`);
  }
  t.end();
});

test('published counts: parameters, running statistics, multiply-adds of one picture', (t) => {
  for (const [model, size, expected] of [
    [resnet18(), 224, [11_689_512, 9_600, 1_814_073_344]],
    [mobileNetV1(), 224, [4_231_976, 21_888, 568_740_352]],
    [mobileNetV2(), 224, [3_504_872, 34_112, 300_774_272]],
    [mobileNetV2({ width: 0.5 }), 224, [1_968_680, 18_544, 97_131_840]],
    [resnet8(), 32, [78_186, 480, 12_501_632]],
    [mobileNetV1({ width: 0.25, classes: 2, activation: 'relu', bias: true }), 96, [216_322, 5_472, 7_489_664]],
  ] as const) {
    const { parameters, buffers, multiplyAdds } = model.build([size, size, 3]).summary(silently);
    t.deepEqual([parameters, buffers, multiplyAdds], expected, model.constructor.name);
  }
  t.end();
});

test("ResNet-50 with Keras's biases has 26,560 numbers more", (t) => {
  // Of its convolutions' outputs: 64 + blocks · (2 · channels + 4 · channels) of each stage, and 4 · channels for its shortcut.
  const outputs = [3, 4, 6, 3].reduce((sum, blocks, stage) => sum + (6 * blocks + 4) * 64 * 2 ** stage, 64);
  t.equal(outputs, 26_560);
  const convolutions = resnet50({ bias: true })
    .namedModules()
    .filter(([, module]) => module.constructor.name === 'Conv2d');
  t.equal(convolutions.length, 53);
  t.ok(
    convolutions.every(([, module]) => 'options' in module && JSON.stringify(module.options).includes('"bias":true')),
  );
  t.end();
});

test('options of the nets are checked', (t) => {
  for (const [name, make] of Object.entries({
    myNet,
    myNet2,
    convNet,
    resnet18,
    resnet50,
    resnet8,
    mobileNetV1,
    mobileNetV2,
  })) {
    const call = (options: object) => () => make(options);
    refuses(t, call({ classes: 0 }), OptionError, `${name}: classes must be a whole number of 1 or more, found 0`);
    refuses(t, call({ dropout: 1.5 }), OptionError, `${name}: dropout must be`, '1.5');
    refuses(t, call({ clases: 2 }), OptionError, `${name}: unknown option 'clases' (did you mean 'classes'?)`);
  }
  for (const width of [0, -1, NaN, '1']) {
    refuses(t, () => mobileNetV1({ width: width as never }), OptionError, 'mobileNetV1: width must be');
    refuses(t, () => mobileNetV2({ width: width as never }), OptionError, 'mobileNetV2: width must be');
  }
  refuses(t, () => mobileNetV1({ activation: 'gelu' as never }), OptionError, "'relu' or 'relu6'");
  refuses(t, () => myNet({ hidden: 0 }), OptionError, 'myNet: hidden must be a whole number of 1 or more');
  refuses(t, () => resnet8({ width: 2 } as never), OptionError, "'width'");
  t.end();
});
