import type { Normalization } from '../data/normalization.js';
import type { PictureSize } from '../data/resize.js';
import { DataError, KernelwrightError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from '../io/safetensors.js';
import type { SafetensorsTensor } from '../io/safetensors-types.js';
import { loadState, stateOf } from '../nn/state.js';
import { bytes as bytesRule, checkArgument, show } from '../options.js';
import { printable } from '../printable.js';
import { suggest } from '../suggest.js';
import { ARCHITECTURE_NAMES, isArchitectureName } from './architectures.js';
import { type ClassifierDescription, classifierRule, PictureClassifier } from './picture-classifier.js';

/** The entry of a safetensors file's metadata that makes it a model. */
const ENTRY = 'kernelwright.model';
/** Of the entry. A reader refuses a higher one; 1, the first, has no `storedSize`, and is what a model without one is written as. */
const VERSION = 2;

/** @internal The tensors and the metadata of a model's file. */
export async function modelParts(
  model: PictureClassifier,
): Promise<{ readonly tensors: Map<string, SafetensorsTensor>; readonly metadata: Readonly<Record<string, string>> }> {
  const version = model.description.storedSize ? VERSION : 1;
  const metadata = { [ENTRY]: JSON.stringify({ version, ...model.description }) };
  return { tensors: await stateOf(model), metadata };
}

/**
 * A trained model as one file, a .safetensors file that needs nothing beside it: the weights, with PyTorch's names and layouts,
 * and in its metadata, under `kernelwright.model`, JSON of {@link PictureClassifier.description} with the `version` of the
 * format: 1, or 2 with a `storedSize`. Throws TraceError for a model that is not built.
 */
export async function encodeModel(model: PictureClassifier): Promise<Uint8Array> {
  checkArgument('encodeModel', 'model', model, classifierRule);
  const { tensors, metadata } = await modelParts(model);
  return encodeSafetensors(tensors, metadata);
}

/**
 * The model of a file that {@link encodeModel} or `saveModel` made, built and with its weights.
 *
 * @param bytes the whole file
 * @param source what error messages call it, such as its path
 * @throws DataError naming the source, where it is no safetensors file, holds weights alone, was written by a later version
 *   of the library, says something that cannot be, or has weights that do not fit what it says
 */
export function decodeModel(bytes: Uint8Array, source = 'model data'): PictureClassifier {
  checkArgument('decodeModel', 'bytes', bytes, bytesRule);
  return modelFrom(decodeSafetensors(bytes, source), source);
}

/** @internal The name of the net that a file's metadata say that it holds; undefined where they say nothing of one. */
export function architectureOf(metadata: Safetensors['metadata']): string | undefined {
  const entry = metadata[ENTRY];
  const architecture = entry === undefined ? undefined : parsed(entry)['architecture'];
  return typeof architecture === 'string' ? architecture : undefined;
}

/** @internal The model of a file's contents. */
export function modelFrom({ tensors, metadata }: Safetensors, source: string): PictureClassifier {
  const fail = (problem: string): never => {
    throw new DataError(`${printable(source)}: ${problem}`);
  };
  const entry = metadata[ENTRY] ?? fail('it is no model, but weights alone, without architecture and classes');
  try {
    const model = new PictureClassifier(descriptionFrom(parsed(entry)));
    model.build(model.pictureShape);
    loadState(model, { tensors });
    return model;
  } catch (error) {
    if (error instanceof KernelwrightError) return fail(error.message);
    if (error instanceof RangeError) return fail(`there is no memory for such a net (${error.message})`);
    throw error;
  }
}

function parsed(entry: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(entry);
  } catch {
    // Nor is it an object.
  }
  if (!isFields(value)) throw new DataError(`its metadata, ${ENTRY}, are not JSON of an object`);
  return value;
}

type Fields = Readonly<Record<string, unknown>>;

/** Believes nothing of what a file says of a model. */
function descriptionFrom({ version, ...fields }: Fields): ClassifierDescription {
  if (version !== 1 && version !== VERSION) {
    const later = typeof version === 'number' && version > VERSION;
    throw new DataError(
      later
        ? `a later version of kernelwright wrote it (format ${version}; this one reads up to ${VERSION})`
        : `its format is ${show(version)}; expected 1 or ${VERSION}`,
    );
  }
  const { architecture, classNames, size, storedSize, options, layout, normalization } = fields;
  if (typeof architecture !== 'string' || !isArchitectureName(architecture)) {
    const name = typeof architecture === 'string' ? architecture : '';
    throw new DataError(`it is a net ${show(architecture)}, which is not known${suggest(name, ARCHITECTURE_NAMES)}`);
  }
  if (!isNames(classNames)) throw wrong('classNames', classNames, 'names of classes');
  if (!isSize(size)) throw wrong('size', size, 'width and height');
  if (storedSize !== undefined && !isSize(storedSize)) throw wrong('storedSize', storedSize, 'width and height');
  if (!isFields(options)) throw wrong('options', options, 'an object');
  if (layout !== 'channels-first' && layout !== 'channels-last') throw wrong('layout', layout, 'an order of channels');
  if (normalization !== undefined && !isNormalization(normalization)) {
    throw wrong('normalization', normalization, 'mean and deviation of three channels');
  }
  return {
    ...{ architecture, classNames, size, layout, options },
    ...(storedSize && { storedSize }),
    ...(normalization && { normalization }),
  };
}

function wrong(field: string, value: unknown, expected: string): DataError {
  return new DataError(`its ${field} is ${show(value)}; expected ${expected}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
}

/** The largest width and height: a file may not ask for any amount of memory. */
const LARGEST = 2 ** 14;

function isSize(value: unknown): value is PictureSize {
  const isEdge = (edge: unknown): boolean => Number.isSafeInteger(edge) && Number(edge) >= 1 && Number(edge) <= LARGEST;
  return isFields(value) && isEdge(value['width']) && isEdge(value['height']);
}

function isNormalization(value: unknown): value is Normalization {
  const isByChannel = (numbers: unknown): boolean =>
    Array.isArray(numbers) && numbers.length === 3 && numbers.every((number) => Number.isFinite(number));
  return isFields(value) && isByChannel(value['mean']) && isByChannel(value['deviation']);
}
