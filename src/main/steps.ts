/** Counters of the kernel, by step of a round: what each has added. */
import type { FolioFs } from "../index.ts";

export class Steps {
  readonly counters = new Map<string, number>();
  readonly #fs: FolioFs;
  #before: Record<string, number>;

  constructor(fs: FolioFs) {
    this.#fs = fs;
    this.#before = fs.kernel.vmstat();
  }

  /** Notes what has been counted since the last step ended. @param shown labels of the table, by names of vmstat */
  note(step: string, shown: Readonly<Record<string, string>>): void {
    const now = this.#fs.kernel.vmstat();
    for (const [name, label] of Object.entries(shown)) {
      this.counters.set(`${step}: ${label}`, now[name] - this.#before[name]);
    }
  }

  /** As note(), at the end of a step. */
  end(step: string, shown: Readonly<Record<string, string>>): void {
    this.note(step, shown);
    this.#before = this.#fs.kernel.vmstat();
  }
}
