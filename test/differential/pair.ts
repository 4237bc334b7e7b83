/** Runs cases on the oracle and on a subject, and tells where the two differ. */
import type { Case } from "./case.ts";
import { type Difference, differences, showDifference } from "./compare.ts";
import type { Deliberate } from "./deliberate.ts";
import type { Described } from "./describe.ts";
import type { CaseRunner } from "./run-case.ts";
import { isFollowedVersion, isSafeToAsk, type Patch, withPatch } from "./versions.ts";

export interface Finding {
  readonly id: string;
  readonly differences: readonly Difference[];
}

export class Pair {
  readonly #oracle: CaseRunner;
  readonly #subject: CaseRunner;
  readonly #golden: ReadonlyMap<string, Patch>;
  readonly #deliberate: readonly Deliberate[];
  readonly #used = new Set<Deliberate>();

  /** @param golden what the followed Node gives where this process's Node gives something else */
  constructor(
    oracle: CaseRunner,
    subject: CaseRunner,
    golden: ReadonlyMap<string, Patch> = new Map(),
    deliberate: readonly Deliberate[] = [],
  ) {
    this.#oracle = oracle;
    this.#subject = subject;
    this.#golden = golden;
    this.#deliberate = deliberate;
  }

  /** Reasons that no difference needed so far. */
  get unusedReasons(): string[] {
    return this.#deliberate.filter((entry) => !this.#used.has(entry)).map(({ reason }) => reason);
  }

  /** @returns the differences that nothing explains; empty when the case passes */
  async run(test: Case): Promise<Difference[]> {
    const expected = await this.#expect(test);
    const actual = await this.#subject.run(test);
    return differences(expected, actual).filter((difference) => !this.#explain(test, difference));
  }

  /** @returns one finding for each case that differs without a reason */
  async runAll(cases: readonly Case[]): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const test of cases) {
      const found = await this.run(test);
      if (found.length > 0) findings.push({ id: test.id, differences: found });
    }
    return findings;
  }

  async #expect(test: Case): Promise<Described> {
    const patch = isFollowedVersion() ? undefined : this.#golden.get(test.id);
    const outcome = isSafeToAsk(test.id) ? await this.#oracle.run(test) : null;
    return patch === undefined ? outcome : withPatch(outcome, patch);
  }

  #explain({ id }: Case, { at }: Difference): boolean {
    const reason = this.#deliberate.find((entry) => entry.cases.test(id) && (entry.at?.test(at) ?? true));
    if (reason) this.#used.add(reason);
    return reason !== undefined;
  }
}

const SHOWN_FINDINGS = 25;
const SHOWN_CHARACTERS = 400;

/** A text for the failure message: one paragraph a case. */
export function showFindings(findings: readonly Finding[]): string {
  const shown = findings.slice(0, SHOWN_FINDINGS).map(({ id, differences: found }) => {
    const lines = found.slice(0, 4).map((one) => `    ${showDifference(one).slice(0, SHOWN_CHARACTERS)}`);
    return [`  ${id}`, ...lines].join("\n");
  });
  const rest = findings.length - shown.length;
  return [`${findings.length} cases differ`, ...shown, ...(rest > 0 ? [`  ... and ${rest} more`] : [])].join("\n");
}
