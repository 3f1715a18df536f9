import { groupOf, type Outcome } from './run-case.js';
import type { CaseEntry } from './index-file.js';

/** Counts what happened, and prints it: failures as they come, tables and the last line at the end. */
export class Report {
  readonly #print: (line: string) => void;
  readonly #devices: readonly string[];
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };
  /** By operation and device: cases passed, and the largest error in parts of its tolerance. */
  readonly #passed = new Map<string, Map<string, { cases: number; margin: number }>>();
  readonly #unsupported = new Map<string, number>();
  readonly #skipped: string[] = [];
  readonly #repeated: string[] = [];

  constructor(devices: readonly string[], print: (line: string) => void) {
    this.#devices = devices;
    this.#print = print;
  }

  get hasFailures(): boolean {
    return this.#counts.failed > 0;
  }

  /** A case of an operation that does not exist: skipped on every device. */
  unsupported(entry: CaseEntry): void {
    this.#counts.skipped += this.#devices.length;
    const group = groupOf(entry);
    this.#unsupported.set(group, (this.#unsupported.get(group) ?? 0) + 1);
  }

  add(entry: CaseEntry, device: string, outcome: Outcome): void {
    this.#counts[outcome.kind]++;
    const address = `${entry.op}/${entry.name}`;
    if (outcome.kind === 'failed') {
      for (const fault of outcome.faults) this.#print(`FAILED ${address} on ${device}: ${fault}`);
    } else if (outcome.kind === 'skipped') {
      this.#skipped.push(`${address} on ${device}: ${outcome.reason}`);
    } else {
      const devices = this.#passed.get(groupOf(entry)) ?? new Map<string, { cases: number; margin: number }>();
      this.#passed.set(groupOf(entry), devices);
      const { cases, margin } = devices.get(device) ?? { cases: 0, margin: 0 };
      devices.set(device, { cases: cases + 1, margin: Math.max(margin, outcome.margin) });
      if (outcome.afterwards) this.#repeated.push(`${address} on ${device}: ${outcome.afterwards.join('; ')}`);
    }
  }

  finish(): void {
    if (this.#passed.size > 0) this.#print('\npassed (cases, and the worst error in parts of its tolerance):');
    for (const [group, devices] of this.#passed) {
      const cells = this.#devices.map((device) => {
        const found = devices.get(device);
        return `${device} ${found ? `${String(found.cases).padStart(3)}  ${percent(found.margin)}` : '  0      -'}`;
      });
      this.#print(`  ${group.padEnd(20)} ${cells.join('    ')}`);
    }
    if (this.#unsupported.size > 0) this.#print('\nunsupported (the library has no such operation yet):');
    for (const [group, cases] of this.#unsupported) this.#print(`  ${group.padEnd(20)} ${cases} cases`);
    if (this.#skipped.length > 0) this.#print('\nskipped:');
    for (const line of this.#skipped) this.#print(`  ${line}`);
    if (this.#repeated.length > 0) {
      this.#print(
        '\npassed with first weights moved by one unit in the last place; with those given, a kink was crossed:',
      );
    }
    for (const line of this.#repeated) this.#print(`  ${line}`);
    const { passed, failed, skipped } = this.#counts;
    this.#print(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
}

function percent(margin: number): string {
  return `${(margin * 100).toFixed(1).padStart(5)} %`;
}
