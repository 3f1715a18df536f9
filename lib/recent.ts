/** Values by key, of which those that were not used for the longest time are dropped where there are more than `limit`. */
export class RecentValues<V> {
  /** In the order of their last use. */
  readonly #values = new Map<string, V>();
  /** The key that was used last. */
  #latest: string | undefined;
  readonly #limit: number;
  readonly #dropped: (value: V) => void;

  /** @param dropped is told of each value that is kept no longer */
  constructor(limit: number, dropped: (value: V) => void) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  get(key: string): V | undefined {
    const value = this.#values.get(key);
    if (value === undefined || key === this.#latest) return value;
    this.#values.delete(key);
    this.#values.set(key, value);
    this.#latest = key;
    return value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    this.#values.set(key, value);
    this.#latest = key;
    const [oldest] = this.#values.keys();
    if (oldest !== undefined && this.#values.size > this.#limit) this.delete(oldest);
  }

  /** Drops the value of a key. */
  delete(key: string): void {
    const value = this.#values.get(key);
    this.#values.delete(key);
    if (value !== undefined) this.#dropped(value);
  }

  /** Drops them all. */
  clear(): void {
    for (const key of [...this.#values.keys()]) this.delete(key);
  }

  values(): V[] {
    return [...this.#values.values()];
  }
}
