import { dirname, join } from 'node:path';
import {
  DataError,
  type Device,
  gradient,
  type Module,
  relu,
  run,
  softmaxCrossEntropy,
  tensor,
  type Tensor,
} from '../../lib/index.js';
import { readSafetensors } from '../../lib/node/safetensors.js';
import type { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import { channelsFirst, picturesFrom, weightInFile } from './in-file.js';
import type { LoadedCase } from './loaded-case.js';
import { netByRule, trainedNet } from './nets.js';
import { bytesOf, inputFrom } from './pictures.js';
import { valuesOf } from './rows.js';
import { hash, normAndProbe, valuesByRule } from './rule.js';
import { sibling } from './sibling.js';

interface Setting {
  readonly model: Module;
  /** [N, height, width, 3] */
  readonly pictures: Tensor;
  readonly labels: readonly number[];
}

/** `model`: a whole net in one mode: logits, loss, gradients, outputs along the way, running statistics. */
export async function runModel(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const { attributes } = loaded;
  const mode = attributes.text('mode');
  const expected = attributes.record(mode);
  const { model, pictures, labels } = await (attributes.has('weights') ? trainedSetting : settingByRule)(loaded);
  const parameters = [...model.namedParameters()];
  model.train(mode === 'train');
  const [logits, loss, input, ...found] = await run(
    () => {
      const logits = model.forward(pictures);
      const loss = softmaxCrossEntropy(logits, tensor(Int32Array.from(labels)));
      const [input, ...gradients] = gradient(loss, [pictures, ...parameters.map(([, parameter]) => parameter)]);
      return [logits, loss, ...(input ? [input] : []), ...gradients];
    },
    { device },
  );
  if (!input) throw new Error('the input has a gradient');
  const gradients = new Map<string, Values>();
  gradients.set('input', channelsFirst(await valuesOf(input)));
  for (const [i, [name, parameter]] of parameters.entries()) {
    const own = await found[i]?.data();
    if (own) gradients.set(name, weightInFile(parameter, own));
  }
  const statistics = new Map<string, Values>();
  for (const [name, variable] of model.namedVariables()) {
    statistics.set(name, { shape: variable.shape, data: await variable.data() });
  }
  const stages = await stagesOf(model, expected.record('stages').names, pictures, device);
  model.dispose();
  return [
    ...ruleComparisons(attributes),
    ...outputComparisons(expected, await valuesOf(logits), await loss.item()),
    ...momentComparisons('grad', expected.record('grads'), gradients),
    ...momentComparisons('stage', expected.record('stages'), stages),
    ...shapeComparisons(expected.record('stage_shapes'), stages),
    ...momentComparisons('running', expected.record('running_stats_after'), statistics),
    ...wholeGradientComparisons(loaded, mode, gradients),
  ];
}

async function settingByRule({ attributes }: LoadedCase): Promise<Setting> {
  const [shape, salt] = [attributes.numbers('input_shape'), attributes.has('salt') ? attributes.text('salt') : ''];
  const pictures = picturesFrom({ shape, data: valuesByRule('input', shape, salt) });
  const classes = attributes.record(attributes.text('mode')).rows('logits').shape[1];
  if (classes === undefined) throw new DataError('the case has no logits');
  const model = await netByRule(attributes.text('model'), classes, pictures.shape.slice(1), salt);
  return { model, pictures, labels: attributes.numbers('labels') };
}

/** The weights are a file of their own; the pictures are those of the case that has the model's name. */
async function trainedSetting(loaded: LoadedCase): Promise<Setting> {
  const { attributes, entry } = loaded;
  const { tensors } = await readSafetensors(join(dirname(entry.file), attributes.text('weights')));
  const cases = await sibling(loaded, 'trained_net', attributes.text('model'));
  const pictures = inputFrom(bytesOf(cases, 'u8'), cases.attributes);
  return { model: trainedNet(tensors, pictures.shape.slice(1)), pictures, labels: attributes.numbers('labels') };
}

/**
 * What modules put out, by their paths. `X_relu` of a net that calls no module so is the ReLU of what `X` puts out; and so
 * is `bn1` of a net of torchvision, whose ReLU writes over its input.
 */
export async function stagesOf(
  model: Module,
  names: readonly string[],
  pictures: Tensor,
  device: Device,
): Promise<Map<string, Values>> {
  const modules = new Map(model.namedModules());
  const outputs = await run(
    () => {
      const seen = new Map<string, Tensor>();
      for (const name of names) {
        const own = name === 'bn1' ? undefined : modules.get(name);
        const module = own ?? modules.get(name.replace(/_relu$/, ''));
        if (!module) throw new DataError(`the net has no module ${name}`);
        const inner = module.forward.bind(module);
        module.forward = (...inputs) => {
          const output = inner(...inputs);
          seen.set(name, own ? output : relu(output));
          return output;
        };
      }
      model.forward(pictures);
      for (const module of modules.values()) Reflect.deleteProperty(module, 'forward');
      return Object.fromEntries(seen);
    },
    { device },
  );
  const stages = new Map<string, Values>();
  for (const [name, output] of Object.entries(outputs)) stages.set(name, channelsFirst(await valuesOf(output)));
  return stages;
}

/** That the rule makes what it should: each name's hash, and the first values. */
function ruleComparisons(attributes: Attributes): Comparison[] {
  if (!attributes.has('rule_check')) return [];
  const salt = attributes.has('salt') ? attributes.text('salt') : '';
  const checks = attributes.record('rule_check');
  return checks.names.map((name) => {
    const check = checks.record(name);
    return {
      ...{ name: `rule ${name}`, rtol: 0, atol: 0 },
      got: { shape: [1], data: [hash(salt + name)] },
      expected: { shape: [1], data: [check.number('hash')] },
    };
  });
}

function outputComparisons(expected: Attributes, logits: Values, loss: number): Comparison[] {
  const rtol = expected.number('rtol', 1e-5);
  const comparisons: Comparison[] = [];
  const wanted = ['logits_f64', 'logits'].find((name) => expected.has(name));
  if (wanted !== undefined) {
    const atol = expected.number('logits_atol', expected.number('atol', 0));
    comparisons.push({ name: 'logits', got: logits, expected: expected.rows(wanted), rtol, atol });
  }
  const truth = expected.number('loss_f64', expected.number('loss'));
  const atol = expected.number('loss_atol', expected.number('atol', 0));
  comparisons.push({ name: 'loss', got: scalar(loss), expected: scalar(truth), rtol, atol });
  return comparisons;
}

/** Norm and probe of each tensor that is named. */
function momentComparisons(kind: string, expected: Attributes, found: ReadonlyMap<string, Values>): Comparison[] {
  return expected.names.flatMap((name) => {
    const entry = expected.record(name);
    const values = found.get(name);
    const got = values && normAndProbe(name, values.data);
    return (['norm', 'probe'] as const).map((number) => ({
      name: `${kind} ${name}: ${number} `,
      got: got && scalar(got[number]),
      expected: scalar(entry.number(`${number}_f64`, entry.number(number))),
      rtol: 0,
      atol: entry.number(`${number}_atol`),
    }));
  });
}

function shapeComparisons(expected: Attributes, found: ReadonlyMap<string, Values>): Comparison[] {
  return expected.names.map((name) => {
    // A pool over all of a picture leaves axes of size 1 in PyTorch.
    const wanted = expected
      .numbers(name)
      .filter((size, axis) => axis < 2 || size !== 1 || found.get(name)?.shape.length === 4);
    const shape = found.get(name)?.shape;
    return {
      ...{ name: `shape of ${name}`, rtol: 0, atol: 0 },
      got: shape && { shape: [shape.length], data: shape },
      expected: { shape: [wanted.length], data: wanted },
    };
  });
}

/**
 * The gradients that the file holds in full. There is no tolerance for them, but one for the probe, a sum with random factors
 * of variance 1/3: what moves it by so much has √3 times the norm, on average. More may be what PyTorch's own float32 is
 * from its float64, five times.
 */
function wholeGradientComparisons(
  loaded: LoadedCase,
  mode: string,
  gradients: ReadonlyMap<string, Values>,
): Comparison[] {
  const prefix = `${mode}.grad.`;
  const tolerances = loaded.attributes.record(mode).record('grads');
  const names = [...loaded.tensors.keys()].filter((name) => name.startsWith(prefix) && !name.endsWith('.f64'));
  return names.map((name) => {
    const own = name.slice(prefix.length);
    const single = loaded.values(name);
    const expected = loaded.has(`${name}.f64`) ? loaded.values(`${name}.f64`) : single;
    const probe = tolerances.record(own).number('probe_atol');
    const l2 = Math.max(Math.sqrt(3) * probe, 5 * distance(single.data, expected.data));
    return { name, got: gradients.get(own), expected, rtol: 0, atol: Infinity, l2 };
  });
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a, (value, i) => value - (b[i] ?? 0)));
}

function scalar(value: number): Values {
  return { shape: [], data: [value] };
}
