import { DataError, OptionError, TrainingError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from '../io/safetensors.js';
import { isRecord, isSize, ListedTensor, type SafetensorsTensor } from '../io/safetensors-types.js';
import { packValue, type StoredTensor, type StoredValue, unpackValue } from '../io/stored-value.js';
import { loadState, stateOf } from '../nn/state.js';
import { show } from '../options.js';
import { printable } from '../printable.js';
import type { Callback, CallbackState, TrainingRun } from './callback.js';
import type { Epoch } from './history.js';
import { describeTraining, differencesFrom, type TrainingDescription } from './training-description.js';

/** What the metadata of such a file say it is, under the name of this library. */
const KIND = 'training checkpoint';
/** Is another one whenever older programs cannot read what newer ones write. */
const VERSION = '2';

/** A moment of a training: all that it needs to go on as if nothing had come between. */
interface Contents {
  /** Tells trainings apart: drawn when one begins, and kept by those that go on from it. */
  readonly id: string;
  /** Steps that were taken. */
  readonly step: number;
  /** Those that are over. */
  readonly epochs: readonly Epoch[];
  /** Time of the epoch at hand so far. */
  readonly seconds: number;
  /** The epoch of the data that the training began with. */
  readonly firstEpoch: number;
  readonly device: { readonly kind: string; readonly description: string };
  readonly description: TrainingDescription;
  readonly model: Readonly<Record<string, StoredTensor>>;
  readonly optimizer: Readonly<Record<string, StoredTensor>>;
  /** Steps of the model's generators. */
  readonly generators: Readonly<Record<string, number>>;
  /** What the epoch at hand has come to so far. */
  readonly meters: Readonly<Record<string, StoredTensor['data']>>;
  readonly callbacks: Readonly<Record<string, CallbackState>>;
}

/** A training that has not begun yet, and can begin behind some steps. */
interface Resumable extends TrainingRun {
  goOnBehind(step: number, epochs: readonly Epoch[], seconds: number): void;
}

/** What stays the same from one checkpoint of a training to the next. */
interface Identity {
  readonly id: string;
  readonly description: TrainingDescription;
}

const identities = new WeakMap<TrainingRun, Identity>();

/**
 * A moment of a training, of which `fit({ resume })` goes on, in this process or in another one: weights and running
 * statistics, the optimizer's state, the generators' steps, the place in the data, what the epoch at hand has come to, the
 * history, and the states of callbacks. It is one .safetensors file, whose tensors are `model.fc1.weight`,
 * `optimizer.fc1.weight.exp_avg` and so on.
 */
export class TrainingCheckpoint {
  /** How messages call it: the path that it was read from. */
  readonly source: string;
  readonly #contents: Contents;

  /** @internal */
  constructor(contents: Contents, source: string) {
    this.#contents = contents;
    this.source = source;
  }

  /** Steps that had been taken since the training began. */
  get step(): number {
    return this.#contents.step;
  }

  /** Epochs that had been completed. */
  get epochs(): number {
    return this.#contents.epochs.length;
  }

  /** The device that it was trained on. On another one a training goes on, but not bit for bit as it would have. */
  get device(): {
    /** `cpu` or `webgpu`. */
    readonly kind: string;
    /** Name of the adapter, or of the kernels that run on the CPU. */
    readonly description: string;
  } {
    return this.#contents.device;
  }

  /** The model's weights and running statistics, for {@link loadState}. */
  get model(): Pick<Safetensors, 'tensors'> {
    return { tensors: new Map(Object.entries(this.#contents.model)) };
  }

  /** The optimizer's state, for {@link Optimizer.loadState}. */
  get optimizer(): Pick<Safetensors, 'tensors'> {
    return { tensors: new Map(Object.entries(this.#contents.optimizer)) };
  }

  /** The whole file, as {@link decodeTrainingCheckpoint} reads it: for a page, which has no files, to keep. */
  encode(): Uint8Array {
    const { tensors, metadata } = this.toSafetensors();
    return encodeSafetensors(tensors, metadata);
  }

  /** @internal */
  toSafetensors(): Safetensors {
    const { text, tensors } = packValue({ ...this.#contents, epochs: this.#contents.epochs.map(storable) });
    return { tensors, metadata: { kernelwright: KIND, version: VERSION, training: this.#contents.id, contents: text } };
  }

  /**
   * @internal Has a training that has not begun yet go on from here. All or nothing: throws OptionError naming all in which it
   * is another one.
   */
  restore(run: Resumable): void {
    const { id, description, step, epochs, seconds, firstEpoch, generators, meters, callbacks } = this.#contents;
    const steps = description.schedules.map((each) => each.step);
    const now = describeTraining(run, steps);
    const own = withState(run.parts.callbacks);
    const missing = Object.keys(callbacks).filter((name) => !own.has(name));
    const problems = [
      ...differencesFrom(description, now),
      ...missing.map((name) => `the callback ${printable(name)} is missing`),
    ];
    if (problems.length > 0) {
      throw new OptionError(`fit: the training cannot go on from ${this.source}: ${problems.join('; ')}`);
    }
    const { model, optimizer, parts } = run;
    loadState(model, this.model);
    const states = this.optimizer;
    const parameters = model.parameters().filter(({ name, isTrainable }) => {
      return isTrainable || states.tensors.has(`${name}.step`);
    });
    optimizer.loadState(parameters, states);
    for (const [name, generator] of model.namedGenerators()) generator.step = generators[name] ?? 0;
    for (const [name, variable] of parts.trainer.meters()) {
      const values = meters[name];
      if (values && !(values instanceof BigInt64Array)) variable.set(values);
    }
    parts.trainer.seek(firstEpoch, step);
    run.goOnBehind(step, epochs, seconds);
    identities.set(run, { id, description });
  }

  /** @internal Has a callback of the training go on as well. */
  async restoreCallback(run: TrainingRun, callback: Callback): Promise<void> {
    const [name] = [...withState(run.parts.callbacks)].find(([, own]) => own === callback) ?? [];
    const state = name === undefined ? undefined : this.#contents.callbacks[name];
    if (state !== undefined) await callback.restore?.(run, state);
  }
}

/**
 * The moment at which a training is: to be called in a callback, such as `onStepEnd`. All is asked for at once, so that the
 * training may go on while the values come. Callbacks behind this one in the list have not dealt with the moment yet, unless
 * this one `savesState`.
 *
 * Rejects with TrainingError where the loss or the weights are not finite, OptionError where a step changes what no checkpoint
 * can hold, such as a variable outside of the model.
 */
export async function trainingCheckpointOf(run: TrainingRun): Promise<TrainingCheckpoint> {
  const { id, description } = identityOf(run);
  const { model, optimizer, parts, step } = run;
  const { device, trainer, seconds } = parts;
  const epochs = [...parts.epochs];
  const generators = [...model.namedGenerators()].map(([name, generator]) => [name, generator.step] as const);
  const callbacks = [...withState(parts.callbacks)].map(([name, own]) => [name, own.state?.(run)] as const);
  // Up to here nothing waits: all that is read is of one moment.
  const [weights, states, meters] = await Promise.all([
    stateOf(model),
    optimizer.state(model.parameters()),
    Promise.all([...trainer.meters()].map(async ([name, variable]) => [name, await variable.data()] as const)),
    run.measured(), // rejects where the loss is not finite
  ]);
  checkFinite(weights, step);
  const contents: Contents = {
    ...{ id, step, epochs, seconds, firstEpoch: trainer.firstEpoch, description },
    device: { kind: device.info.kind, description: device.info.description },
    ...{ model: stored(weights), optimizer: stored(states) },
    generators: Object.fromEntries(generators),
    meters: Object.fromEntries(meters),
    callbacks: Object.fromEntries(callbacks.flatMap(([name, state]) => (state === undefined ? [] : [[name, state]]))),
  };
  return new TrainingCheckpoint(contents, `step ${step} of this training`);
}

/**
 * What {@link TrainingCheckpoint.encode} gave. Throws DataError, naming `source`, for what is no such file, or one of a
 * newer version.
 *
 * @param source how messages call it, such as its path
 */
export function decodeTrainingCheckpoint(bytes: Uint8Array, source = 'the training checkpoint'): TrainingCheckpoint {
  return checkpointIn(decodeSafetensors(bytes, source), source);
}

/** @internal The checkpoint in a file that was read. */
export function checkpointIn({ tensors, metadata }: Safetensors, source: string): TrainingCheckpoint {
  const shown = printable(source);
  const contents = unpackValue(checkKind(metadata, source), tensors, shown);
  if (!isContents(contents)) throw new DataError(`${shown}: what it holds is not that of a training checkpoint`);
  return new TrainingCheckpoint(contents, shown);
}

/** The text of a checkpoint. Throws DataError where the metadata are not those of one. */
function checkKind(metadata: Safetensors['metadata'], source: string): string {
  const { kernelwright, version, contents } = metadata;
  const shown = printable(source);
  if (kernelwright !== KIND || contents === undefined) {
    throw new DataError(`${shown} is no training checkpoint: weights alone are loaded by loadState or loadWeights`);
  }
  if (version === VERSION) return contents;
  throw new DataError(
    `${shown} has the version ${show(version)} of training checkpoints; this program reads ${VERSION}`,
  );
}

/** @internal What a run's checkpoints have in common, made when it is first asked for: when the training begins, better than later. */
export function identityOf(run: TrainingRun): Identity {
  const known = identities.get(run);
  if (known) return known;
  const digits = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0'));
  const identity = { id: digits.join(''), description: describeTraining(run) };
  identities.set(run, identity);
  return identity;
}

/** Callbacks that have a state, by name: `earlyStopping`, `earlyStopping#2`. */
function withState(callbacks: readonly Callback[]): Map<string, Callback> {
  const found = new Map<string, Callback>();
  for (const callback of callbacks) {
    if (!callback.state || callback.name === undefined) continue;
    let key = callback.name;
    for (let i = 2; found.has(key); i++) key = `${callback.name}#${i}`;
    found.set(key, callback);
  }
  return found;
}

function stored(tensors: ReadonlyMap<string, SafetensorsTensor>): Record<string, StoredTensor> {
  const entries = [...tensors].filter((entry): entry is [string, StoredTensor] => !(entry[1] instanceof ListedTensor));
  return Object.fromEntries(entries);
}

function storable({ epoch, training, validation, seconds }: Epoch): StoredValue {
  return { epoch, training: { ...training }, validation: validation && { ...validation }, seconds };
}

/** Throws TrainingError for weights that no training should go on from: no loss has been computed with them yet. */
function checkFinite(weights: ReadonlyMap<string, SafetensorsTensor>, step: number): void {
  for (const [name, { data }] of weights) {
    if (!(data instanceof Float32Array)) continue;
    for (let i = 0; i < data.length; i++) {
      if (Number.isFinite(data[i])) continue;
      throw new TrainingError(`${name} is not finite after step ${step}: the learning rate may be too high`, step);
    }
  }
}

function isContents(value: unknown): value is Contents {
  if (!isRecord(value)) return false;
  const { id, step, epochs, seconds, firstEpoch, device, description } = value;
  const { model, optimizer, generators, meters, callbacks } = value;
  return (
    typeof id === 'string' &&
    [step, firstEpoch].every(isSize) &&
    typeof seconds === 'number' &&
    Array.isArray(epochs) &&
    epochs.every(isEpoch) &&
    [device, model, optimizer, generators, meters].every(isRecord) &&
    isRecord(callbacks) &&
    Object.values(callbacks).every(isRecord) &&
    isDescription(description)
  );
}

function isEpoch(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { epoch, training, validation, seconds } = value;
  return (
    isSize(epoch) &&
    isMeans(training) &&
    (validation === undefined || isMeans(validation)) &&
    typeof seconds === 'number'
  );
}

function isMeans(value: unknown): boolean {
  return isRecord(value) && typeof value['loss'] === 'number' && isRecord(value['metrics']);
}

function isDescription(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { options, model, generators, data, validation, schedules, operations } = value;
  return (
    [options, model, generators, data].every(isRecord) &&
    (validation === null || isRecord(validation)) &&
    Array.isArray(schedules) &&
    schedules.every((each) => isRecord(each) && [each['rates'], each['momenta']].every(Array.isArray)) &&
    Array.isArray(operations)
  );
}
