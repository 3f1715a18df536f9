/** Counts a buffer that was forgotten without being destroyed: its memory goes with its JavaScript object. */
const forgotten = new FinalizationRegistry<() => void>((uncount) => {
  uncount();
});

/** The buffers of a device, and how much memory they take. */
export class Buffers {
  readonly #gpu: GPUDevice;
  readonly #account = { used: 0 };

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Bytes of those that exist. */
  get used(): number {
    return this.#account.used;
  }

  create(descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = this.#gpu.createBuffer(descriptor);
    const { size } = descriptor;
    const account = this.#account;
    account.used += size;
    forgotten.register(buffer, () => void (account.used -= size), buffer);
    return buffer;
  }

  /** Frees it, unless that has been done. */
  destroy(buffer: GPUBuffer): void {
    if (forgotten.unregister(buffer)) this.#account.used -= buffer.size;
    buffer.destroy();
  }
}
