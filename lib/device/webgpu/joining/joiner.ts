import { ceilDivide, type Kernel } from '../../../graph/launch.js';
import type { Work } from '../work.js';
import {
  areIndependent,
  BUILTINS,
  inSequence,
  type Part,
  type SharedBinding,
  sharedBindings,
  sideBySide,
} from './joined-work.js';
import { type EntryModule, entryModule } from './wgsl-module.js';

/** Invocations of the one workgroup of a sequence. */
const INVOCATIONS = 256;
/** Rounds of all of them that a launch may take. */
const MOST_ROUNDS = 8;
/** More workgroups fill a GPU: launches of more gain nothing side by side. */
const FILLING_WORKGROUPS = 128;
/** More make a text that takes longer to compile than is gained. */
const MOST_PARTS = 8;

/** What the adapter allows one kernel. */
export type JoiningLimits = Pick<
  GPUSupportedLimits,
  | 'maxStorageBuffersPerShaderStage'
  | 'maxUniformBuffersPerShaderStage'
  | 'maxComputeWorkgroupStorageSize'
  | 'maxComputeInvocationsPerWorkgroup'
>;

/**
 * Makes fewer dispatches of those that follow one another.
 *
 * A dispatch begins when the one before it has drained: between two that depend on each other a desktop GPU loses some 2 to
 * 4 us, in which the invocations of one workgroup go five to ten times to memory and back (by arithmetic).
 *
 *   - In sequence: launches of few such rounds are computed by one workgroup, one behind the other, with no more than a
 *     barrier in between: WGSL's `storageBarrier` orders what the invocations of a workgroup have stored. The loss, meters,
 *     counters and the products of a classifier's last layer are of this kind.
 *   - Side by side: launches that do not depend on each other, such as the gradients of two layers' weights, and that do not
 *     fill a GPU, are workgroups of one dispatch.
 */
export class Joiner {
  readonly #limits: JoiningLimits;
  /** By source text and entry point. */
  readonly #modules = new Map<string, Map<string, EntryModule | undefined>>();

  constructor(limits: JoiningLimits) {
    this.#limits = limits;
  }

  /** The same work in as few dispatches. */
  join(works: readonly Work[]): Work[] {
    const sequences = this.#grouped(works, {
      accepts: (part) => this.#isSmall(part),
      fits: () => true,
      join: (parts, bindings) => inSequence(parts, bindings, INVOCATIONS),
    });
    return this.#grouped(sequences, {
      accepts: ({ workgroups }) => workgroups < FILLING_WORKGROUPS,
      fits: (parts) =>
        parts.every(({ invocations }) => invocations === parts[0]?.invocations) &&
        parts.reduce((sum, { workgroups }) => sum + workgroups, 0) <= FILLING_WORKGROUPS &&
        areIndependent(parts),
      join: sideBySide,
    });
  }

  /** Joins neighbours as long as they go together. */
  #grouped(works: readonly Work[], way: WayOfJoining): Work[] {
    const joined: Work[] = [];
    let parts: readonly Part[] = [];
    let bindings: readonly SharedBinding[] = []; // of several parts
    const flush = (): void => {
      const [first] = parts;
      if (first) joined.push(parts.length === 1 ? first.work : way.join(parts, bindings));
      parts = [];
    };
    for (const work of works) {
      const part = this.#partOf(work);
      if (!part || !way.accepts(part)) {
        flush();
        joined.push(work);
        continue;
      }
      const next = [...parts, part];
      const shared = parts.length > 0 && way.fits(next) ? this.#allowedBindings(next) : undefined;
      if (!shared) flush();
      parts = [...parts, part];
      bindings = shared ?? [];
    }
    flush();
    return joined;
  }

  #partOf(work: Work): Part | undefined {
    const [workgroups, ...folded] = work.workgroups;
    if (folded.some((count) => count > 1)) return undefined;
    const module = this.#moduleOf(work.kernel);
    if (module?.invocations === undefined || module.workgroupBytes === undefined) return undefined;
    if (!module.parameters.every(({ builtin }) => builtin in BUILTINS)) return undefined;
    const { invocations, workgroupBytes } = module;
    return { work, module, invocations, workgroupBytes, workgroups };
  }

  #moduleOf({ code, entryPoint }: Kernel): EntryModule | undefined {
    const ofCode = this.#modules.get(code) ?? new Map<string, EntryModule | undefined>();
    this.#modules.set(code, ofCode);
    if (!ofCode.has(entryPoint)) ofCode.set(entryPoint, entryModule(code, entryPoint));
    return ofCode.get(entryPoint);
  }

  /** Whether one workgroup can compute it in few rounds. */
  #isSmall({ module: { hasBarriers }, invocations, workgroups }: Part): boolean {
    if (this.#limits.maxComputeInvocationsPerWorkgroup < INVOCATIONS) return false;
    // Several workgroups side by side would not meet at the same barriers.
    const isWhole = hasBarriers ? invocations === INVOCATIONS : INVOCATIONS % invocations === 0;
    return isWhole && ceilDivide(workgroups * invocations, INVOCATIONS) <= MOST_ROUNDS;
  }

  /** What a kernel of these parts binds; undefined where the adapter does not allow it. */
  #allowedBindings(parts: readonly Part[]): readonly SharedBinding[] | undefined {
    const workgroupBytes = parts.reduce((sum, part) => sum + part.workgroupBytes, 0);
    if (parts.length > MOST_PARTS || workgroupBytes > this.#limits.maxComputeWorkgroupStorageSize) return undefined;
    const bindings = sharedBindings(parts);
    const uniforms = bindings?.filter(({ access }) => access === 'uniform').length ?? 0;
    const isAllowed =
      bindings &&
      uniforms <= this.#limits.maxUniformBuffersPerShaderStage &&
      bindings.length - uniforms <= this.#limits.maxStorageBuffersPerShaderStage;
    return isAllowed ? bindings : undefined;
  }
}

interface WayOfJoining {
  readonly accepts: (part: Part) => boolean;
  readonly fits: (parts: readonly Part[]) => boolean;
  readonly join: (parts: readonly Part[], bindings: readonly SharedBinding[]) => Work;
}
