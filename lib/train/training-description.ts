import { outcomesOf, type TrainingData } from '../data/training-data.js';
import { isStreamed, type StreamedData } from '../data/streamed-data.js';
import { elementAt } from '../element-at.js';
import { OptionError } from '../errors.js';
import { linesOf } from '../graph/program.js';
import { hashOf } from '../hash.js';
import { printable } from '../printable.js';
import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { Parameter } from '../variable.js';
import type { TrainingRun } from './callback.js';

/** Texts and numbers by name: two of them are compared name by name. */
type Facts = Readonly<Record<string, string | number | boolean>>;

/** What decides the course of a training, in words that are the same in another process. */
export type TrainingDescription = {
  readonly options: Facts;
  /** The model's variables: type, shape, and whether they are frozen. */
  readonly model: Facts;
  /** The seeds of its generators. */
  readonly generators: Facts;
  readonly data: Facts;
  readonly validation: Facts | null;
  /** Learning rates and momenta of some of the steps, of all groups. */
  readonly schedules: readonly {
    readonly step: number;
    readonly rates: readonly number[];
    readonly momenta: readonly number[];
  }[];
  /** The operations of a step, one a line. */
  readonly operations: readonly string[];
};

/** Steps whose learning rates and momenta stand for all. */
const SHOWN = 32;

/**
 * Describes a training. Throws OptionError where its steps change something that a checkpoint cannot hold.
 *
 * @param stepsOfSchedules steps whose learning rates and momenta are wanted; left out, some of all
 */
export function describeTraining(run: TrainingRun, stepsOfSchedules?: readonly number[]): TrainingDescription {
  const { model, optimizer, parts } = run;
  const trace = parts.trainer.record();
  const own = new Set([
    ...model.namedVariables().values(),
    ...[...model.namedGenerators().values()].map(({ state }) => state),
  ]);
  for (const variable of trace.updates.keys()) {
    if (own.has(variable) || parts.trainer.owns(variable) || optimizer.owns(variable)) continue;
    throw new OptionError(
      `a step of this training changes ${printable(variable.name)}, which is no part of the model, so no checkpoint can hold ` +
        'it: keep it in a field of a module',
    );
  }
  const last = Math.max(0, run.epochs * run.stepsPerEpoch - 1);
  const first = optimizer.step - run.step;
  const some = Array.from({ length: SHOWN }, (_, i) => first + Math.round((last * i) / (SHOWN - 1)));
  return {
    options: parts.options,
    model: Object.fromEntries(
      [...model.namedVariables()].map(([name, variable]) => {
        const isFrozen = variable instanceof Parameter && !variable.isTrainable;
        return [name, `${variable.dtype} ${formatShape(variable.shape)}${isFrozen ? ', frozen' : ''}`];
      }),
    ),
    generators: Object.fromEntries([...model.namedGenerators()].map(([name, { seed }]) => [name, seed])),
    data: factsOf(parts.data),
    validation: parts.validation ? factsOf(parts.validation) : null,
    schedules: [...new Set(stepsOfSchedules ?? some)].map((step) => ({ step, ...optimizer.schedulesAt(step) })),
    operations: linesOf([], trace, describeLeaf),
  };
}

function factsOf(data: TrainingData | StreamedData): Facts {
  const { inputShape, scale = 1, weights, files = [] } = data;
  const { name, values, shape, count } = outcomesOf(data);
  return {
    ...{ examples: count, inputs: `${typeOf(data)} ${formatShape(inputShape)}`, scale },
    ...('classNames' in data ? { classes: data.classNames.join(', ') } : { targets: formatShape(shape) }),
    // Streamed inputs are told by the names of their files: they are not read for this.
    'hash of the inputs': hashOf(isStreamed(data) ? new TextEncoder().encode(files.join('\n')) : data.inputs),
    [`hash of the ${name}`]: hashOf(values),
    ...(weights && { 'hash of the weights': hashOf(weights) }),
  };
}

function typeOf(data: TrainingData | StreamedData): string {
  if (isStreamed(data)) return `streamed ${data.dtype}`;
  return data.inputs instanceof Uint8Array ? 'u8' : 'f32';
}

/** A leaf of a recording by its name, or by its values. */
function describeLeaf({ origin, dtype, shape }: Tensor): string {
  if (origin.kind === 'variable') return origin.variable.name;
  const type = `${dtype}${formatShape(shape)}`;
  if (origin.kind !== 'constant') return type;
  return `${type}:${origin.data.length === 1 ? String(origin.data[0]) : hashOf(origin.data)}`;
}

/** In which respects a training is another one than the one that was described, each in words. */
export function differencesFrom(then: TrainingDescription, now: TrainingDescription): string[] {
  const found = [
    ...differingFacts('', now.options, then.options),
    ...differingFacts('the model: ', now.model, then.model),
    ...differingFacts('a generator of the model: ', now.generators, then.generators),
    ...differingData('the training data', now.data, then.data),
    ...differingData('the validation data', now.validation, then.validation),
    ...differingSchedules('learning rate', now, then, ({ rates }) => rates),
  ];
  if (found.length > 0) return found;
  // What is wrong with the model or the size of a batch shows in the operations as well, and another optimizer in the momentum.
  return [
    ...differingOperations(now.operations, then.operations),
    ...differingSchedules('momentum', now, then, ({ momenta }) => momenta),
  ];
}

function differingFacts(what: string, now: Facts, then: Facts): string[] {
  return [...new Set([...Object.keys(then), ...Object.keys(now)])].flatMap((name) => {
    const [is, was] = [now[name], then[name]];
    if (is === was) return [];
    const shown = `${what}${printable(name === '' ? 'its own' : name)}`;
    if (is === undefined) return [`${shown} is missing`];
    if (was === undefined) return [`${shown} is new`];
    return [`${shown} is ${printable(String(is))}, and was ${printable(String(was))}`];
  });
}

function differingData(what: string, now: Facts | null, then: Facts | null): string[] {
  if (!now || !then) return now === then ? [] : [`${what} ${now ? 'are new' : 'are missing'}`];
  const found = differingFacts(`${what}: `, now, then);
  const others = found.filter((difference) => !difference.includes(': hash of the '));
  return others.length > 0 || found.length === 0 ? others : [`${what} hold other numbers`];
}

function differingSchedules(
  what: string,
  now: TrainingDescription,
  then: TrainingDescription,
  valuesOf: (step: TrainingDescription['schedules'][number]) => readonly number[],
): string[] {
  for (const [i, before] of then.schedules.entries()) {
    const was = valuesOf(before);
    const is = valuesOf(elementAt(now.schedules, i));
    if (is.join() === was.join()) continue;
    return [`the ${what} of step ${before.step} is ${is.join(' and ')}, and was ${was.join(' and ')}`];
  }
  return [];
}

function differingOperations(now: readonly string[], then: readonly string[]): string[] {
  const length = Math.max(now.length, then.length);
  for (let i = 0; i < length; i++) {
    const [is = 'nothing', was = 'nothing'] = [now[i], then[i]];
    if (is !== was) return [`a step computes something else: ${shortened(is)}, and then it was ${shortened(was)}`];
  }
  return [];
}

function shortened(line: string): string {
  const shown = printable(line);
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
