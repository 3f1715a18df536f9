import { DataError } from '../../lib/errors.js';
import type { SafetensorsTensor } from '../../lib/io/safetensors-types.js';
import { readSafetensors } from '../../lib/node/safetensors.js';
import { formatShape, sameShape, type Shape } from '../../lib/shape.js';
import { tensor, type Tensor } from '../../lib/tensor.js';
import { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import type { CaseEntry, TensorEntry } from './index-file.js';

/** A case with the numbers of its file. */
export class LoadedCase {
  readonly entry: CaseEntry;
  readonly attributes: Attributes;
  readonly #tensors: ReadonlyMap<string, SafetensorsTensor>;

  private constructor(entry: CaseEntry, tensors: ReadonlyMap<string, SafetensorsTensor>) {
    this.entry = entry;
    this.attributes = new Attributes(entry.attributes, `${entry.op}/${entry.name}`);
    this.#tensors = tensors;
  }

  /** Throws DataError naming the file where it cannot be read. */
  static async load(entry: CaseEntry): Promise<LoadedCase> {
    return new LoadedCase(entry, (await readSafetensors(entry.file)).tensors);
  }

  /** All tensors of the file. */
  get tensors(): ReadonlyMap<string, SafetensorsTensor> {
    return this.#tensors;
  }

  /** Names of the tensors of a role, sorted: the order in the files means nothing. */
  names(role: string): string[] {
    return [...this.entry.tensors].flatMap(([name, tensor]) => (tensor.role === role ? [name] : [])).sort();
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The numbers of a tensor. Throws DataError where it is missing, or its shape is not the one in the index. */
  values(name: string): Values {
    const { shape, data } = this.#find(name);
    return { shape, data: data instanceof BigInt64Array ? Array.from(data, Number) : data };
  }

  /** A tensor for the library: floats and bytes as f32, integers as i32. */
  tensor(name: string): Tensor {
    const { shape, dtype, data } = this.#find(name);
    if (dtype === 'F32' || dtype === 'I32' || dtype === 'U32') return tensor(data, { shape });
    if (dtype === 'I64') return tensor(Int32Array.from(data, Number), { shape });
    return tensor(Float32Array.from(data), { shape });
  }

  /**
   * What is to be compared, for every tensor with the role `output` or `grad`. The truth is the float64 version where
   * there is one, except where every bit must be right.
   *
   * @param results by the tensors' names; a result that is missing is a fault of the case
   */
  comparisons(results: ReadonlyMap<string, Values>): Comparison[] {
    return [...this.names('output'), ...this.names('grad')].map((name) => {
      const entry = this.entry.tensors.get(name);
      const { atolByStep, l2 } = entry ?? {};
      const atol = atolByStep === undefined ? (entry?.atol ?? 0) : this.values(atolByStep).data;
      const tolerance = { rtol: entry?.rtol ?? 0, atol, l2 };
      return { name, got: results.get(name), expected: this.values(this.#truthOf(name, entry)), ...tolerance };
    });
  }

  #truthOf(name: string, entry: TensorEntry | undefined): string {
    const isExact = entry?.rtol === 0 && entry.atol === 0;
    return entry?.f64 !== undefined && !isExact && this.has(entry.f64) ? entry.f64 : name;
  }

  #find(name: string): SafetensorsTensor {
    const found = this.#tensors.get(name);
    if (!found) throw new DataError(`${this.entry.file} has no tensor '${name}'`);
    const shape: Shape = this.entry.tensors.get(name)?.shape ?? found.shape;
    if (!sameShape(shape, found.shape)) {
      throw new DataError(
        `${this.entry.file}: tensor '${name}' has the shape ${formatShape(found.shape)}, the index says ${formatShape(shape)}`,
      );
    }
    return found;
  }
}
