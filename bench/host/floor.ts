/** GPUBufferUsage.STORAGE: Node has no such global. */
const STORAGE = 0x80;

const KERNEL = `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { values[id.x] += 1.0; }
`;

/** The least that any library can pay: dispatches that were prepared beforehand, encoded and submitted. */
export class BareLoop {
  readonly #gpu: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #bindGroups: readonly GPUBindGroup[];

  /** @param dispatches dispatches in a step */
  constructor(gpu: GPUDevice, dispatches: number) {
    this.#gpu = gpu;
    const module = gpu.createShaderModule({ code: KERNEL });
    const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module } });
    this.#pipeline = pipeline;
    this.#bindGroups = Array.from({ length: dispatches }, () => {
      const buffer = gpu.createBuffer({ size: 256, usage: STORAGE });
      return gpu.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer } }],
      });
    });
  }

  /** So many steps, each a compute pass, with so many of them in a submit; then waits for the queue. */
  async run(steps: number, stepsPerSubmit: number): Promise<void> {
    for (let done = 0; done < steps; done += stepsPerSubmit) {
      const encoder = this.#gpu.createCommandEncoder();
      for (let step = done; step < Math.min(done + stepsPerSubmit, steps); step++) this.#encode(encoder);
      this.#gpu.queue.submit([encoder.finish()]);
    }
    await this.#gpu.queue.onSubmittedWorkDone();
  }

  #encode(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass();
    for (const bindGroup of this.#bindGroups) {
      pass.setPipeline(this.#pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1);
    }
    pass.end();
  }
}
