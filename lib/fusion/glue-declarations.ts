import type { Binding } from '../graph/launch.js';
import type { Setting } from './stage.js';

/** A buffer of a chain. */
export type GlueBuffer = { readonly input: number } | { readonly output: number };

/** What stands in front of the functions of a kernel's stages, noted as they are printed; each buffer and number once. */
export class GlueDeclarations {
  readonly sources = new Set<string>();
  readonly bindings: Binding[] = [];
  readonly constants: Record<string, number> = {};
  /** Lines outside of functions. */
  readonly head: string[] = [];
  /** Lines that every invocation runs before its first value. */
  readonly begin: string[] = [];
  readonly #firstBinding: number;
  readonly #uniforms: string;
  readonly #words: number[] = [];
  readonly #wordTexts = new Map<string, string>();
  readonly #bound = new Set<string>();

  /** @param uniforms WGSL: the uniform `array<vec4u, WORD_QUADS>` that the words are written to */
  constructor(firstBinding: number, uniforms: string) {
    this.#firstBinding = firstBinding;
    this.#uniforms = uniforms;
  }

  /** The words, in whole vec4s, of which there is one at least. */
  get words(): number[] {
    const quads = Math.max(Math.ceil(this.#words.length / 4), 1);
    return Array.from({ length: 4 * quads }, (_, i) => this.#words[i] ?? 0);
  }

  /** The name of a bound buffer. */
  bind(buffer: GlueBuffer, type: string): string {
    const name = 'input' in buffer ? `operand${buffer.input}_${type}` : `result${buffer.output}`;
    if (this.#bound.has(name)) return name;
    this.#bound.add(name);
    const at = this.#firstBinding + this.bindings.length;
    const access = 'input' in buffer ? 'read' : 'read_write';
    this.head.push(`@group(0) @binding(${at}) var<storage, ${access}> ${name}: array<${type}>;`);
    this.bindings.push({ ...buffer, at });
    return name;
  }

  /** WGSL: a number that is the same for all invocations, in the uniforms; one for each key. */
  word(key: string, value: number): string {
    const known = this.#wordTexts.get(key);
    if (known !== undefined) return known;
    const at = this.#words.push(value) - 1;
    const text = `${this.#uniforms}[${at >> 2}].${'xyzw'.charAt(at & 3)}`;
    this.#wordTexts.set(key, text);
    return text;
  }

  /** The name of a variable of each invocation, which is set before its first value. */
  variable(name: string, type: string, value: string): string {
    this.head.push(`var<private> ${name}: ${type};`);
    this.begin.push(`${name} = ${value};`);
    return name;
  }

  /** The name of an override; a number that varies, or is not finite and cannot be one, goes through the uniforms. */
  setting(name: string, setting: Setting): string {
    const isWhole = typeof setting !== 'number' && 'u32' in setting;
    const value = typeof setting === 'number' ? setting : 'u32' in setting ? setting.u32 : setting.varies;
    if (!Number.isFinite(value) || (typeof setting !== 'number' && !isWhole)) {
      const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
      return this.variable(name, 'f32', `bitcast<f32>(${this.word(name, bits)})`);
    }
    this.head.push(`override ${name}: ${isWhole ? 'u32' : 'f32'};`);
    this.constants[name] = value;
    return name;
  }
}
