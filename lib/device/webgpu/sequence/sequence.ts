import { ceilDivide, type Kernel } from '../../../graph/launch.js';
import type { Work } from '../work.js';
import { BUILTINS, joinedWork, type Part, sharedBindings } from './join.js';
import { type EntryModule, entryModule } from './wgsl-module.js';

/** Invocations of the one workgroup. */
const INVOCATIONS = 256;
/** Rounds of all invocations that a launch may take. */
const MOST_ROUNDS = 8;
/** More make a text that takes longer to compile than is gained. */
const MOST_PARTS = 8;

/** What the adapter allows one kernel. */
export type SequenceLimits = Pick<
  GPUSupportedLimits,
  | 'maxStorageBuffersPerShaderStage'
  | 'maxUniformBuffersPerShaderStage'
  | 'maxComputeWorkgroupStorageSize'
  | 'maxComputeInvocationsPerWorkgroup'
>;

/**
 * Makes one dispatch of small launches that follow one another.
 *
 * A dispatch begins when the one before it has drained: between two that depend on each other a desktop GPU loses some 2 to
 * 4 us, in which the invocations of one workgroup go five to ten times to memory and back (by arithmetic). So a launch of few
 * such rounds is computed by one workgroup, behind what comes before it, with no more than a barrier in between: WGSL's
 * `storageBarrier` orders what the invocations of a workgroup have stored. The loss, meters, counters and the products of
 * a classifier's last layer are of this kind.
 */
export class Sequencer {
  readonly #limits: SequenceLimits;
  /** By entry point and source text. */
  readonly #modules = new Map<string, EntryModule | undefined>();

  constructor(limits: SequenceLimits) {
    this.#limits = limits;
  }

  /** The same work, in the same order, in as few dispatches. */
  join(works: readonly Work[]): Work[] {
    const joined: Work[] = [];
    let parts: readonly Part[] = [];
    const flush = (): void => {
      const [first] = parts;
      if (first) joined.push(parts.length === 1 ? first.work : joinedWork(parts, INVOCATIONS));
      parts = [];
    };
    for (const work of works) {
      const part = this.#partOf(work);
      if (!part || !this.#fits([...parts, part])) flush();
      if (part) parts = [...parts, part];
      else joined.push(work);
    }
    flush();
    return joined;
  }

  #partOf(work: Work): Part | undefined {
    const [workgroups, ...folded] = work.workgroups;
    if (this.#limits.maxComputeInvocationsPerWorkgroup < INVOCATIONS || folded.some((count) => count > 1)) {
      return undefined;
    }
    const module = this.#moduleOf(work.kernel);
    if (module?.invocations === undefined || module.workgroupBytes === undefined) return undefined;
    const { invocations, workgroupBytes, hasBarriers, parameters } = module;
    // Several workgroups side by side would not meet at the same barriers.
    const isWhole = hasBarriers ? invocations === INVOCATIONS : INVOCATIONS % invocations === 0;
    const rounds = ceilDivide(workgroups * invocations, INVOCATIONS);
    if (!isWhole || rounds > MOST_ROUNDS || !parameters.every(({ builtin }) => builtin in BUILTINS)) return undefined;
    return { work, module, invocations, workgroupBytes, workgroups };
  }

  #moduleOf({ code, entryPoint }: Kernel): EntryModule | undefined {
    const key = `${entryPoint}\n${code}`;
    if (!this.#modules.has(key)) this.#modules.set(key, entryModule(code, entryPoint));
    return this.#modules.get(key);
  }

  #fits(parts: readonly Part[]): boolean {
    const bindings = sharedBindings(parts);
    if (!bindings || parts.length > MOST_PARTS) return false;
    const uniforms = bindings.filter(({ access }) => access === 'uniform').length;
    const workgroupBytes = parts.reduce((sum, part) => sum + part.workgroupBytes, 0);
    return (
      uniforms <= this.#limits.maxUniformBuffersPerShaderStage &&
      bindings.length - uniforms <= this.#limits.maxStorageBuffersPerShaderStage &&
      workgroupBytes <= this.#limits.maxComputeWorkgroupStorageSize
    );
  }
}
