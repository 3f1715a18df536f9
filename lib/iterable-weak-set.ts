/** A set that keeps nothing alive and can be gone through nevertheless. */
export class IterableWeakSet<T extends object> {
  readonly #references = new Set<WeakRef<T>>();
  readonly #collected = new FinalizationRegistry<WeakRef<T>>((reference) => this.#references.delete(reference));

  /** Adds an object that is not in it yet. */
  add(value: T): void {
    const reference = new WeakRef(value);
    this.#references.add(reference);
    this.#collected.register(value, reference);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const reference of this.#references) {
      const value = reference.deref();
      if (value) yield value;
    }
  }
}
