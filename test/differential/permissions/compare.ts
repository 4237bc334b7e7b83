/** Runs cases of the permission matrix on the oracle and on a subject, and tells where they differ. */
import { appendFileSync } from "node:fs";
import { assert } from "vitest";
import type { Subject } from "../../helpers/subject.ts";
import { isFollowedVersion } from "../versions.ts";
import { type PermissionCase, runPermissionCase } from "./case.ts";

/** Where foliofs differs on purpose. */
export interface Deliberate {
  readonly lines: RegExp;
  readonly reason: string;
}

export const DELIBERATE: readonly Deliberate[] = [
  {
    lines: /: link( to .*)?: kernel EPERM, subject ok$/,
    reason:
      "fs.protected_hardlinks is a setting: off by default in Linux, and in foliofs; on in Debian, the oracle here",
  },
];

/** Lines of both texts that the other has not. */
function showDifference(expected: string, actual: string): string {
  const left = expected.split("\n");
  const right = actual.split("\n");
  if (left[0] !== right[0]) return `kernel ${left[0]}, subject ${right[0]}`;
  const only = (a: string[], b: string[]): string => a.filter((line) => !b.includes(line)).join("; ");
  return `both ${left[0]}, then kernel [${only(left, right)}], subject [${only(right, left)}]`;
}

/** Compares a subject with the oracle, and keeps which differences on purpose it has met. */
export class PermissionPair {
  readonly #oracle: Subject;
  readonly #subject: Subject;
  readonly #comparable: (seen: string) => string;
  readonly #needed = new Set<Deliberate>();

  /** @param comparable takes away what need not be the same */
  constructor(oracle: Subject, subject: Subject, comparable = (seen: string): string => seen) {
    this.#oracle = oracle;
    this.#subject = subject;
    this.#comparable = comparable;
  }

  get unused(): Deliberate[] {
    return DELIBERATE.filter((entry) => !this.#needed.has(entry));
  }

  compareAll(cases: readonly PermissionCase[]): void {
    const lines: string[] = [];
    for (const test of cases) {
      const expected = this.#comparable(runPermissionCase(this.#oracle, test));
      const actual = this.#comparable(runPermissionCase(this.#subject, test));
      const line = `${test.id}: ${showDifference(expected, actual)}`;
      if (expected !== actual && !this.#isDeliberate(line)) lines.push(line);
    }
    if (process.env.FOLIO_REPORT) for (const line of lines) appendFileSync(process.env.FOLIO_REPORT, `${line}\n`);
    assert(lines.length === 0, [`${lines.length} of ${cases.length} differ`, ...lines.slice(0, 40)].join("\n  "));
  }

  #isDeliberate(line: string): boolean {
    const entry = DELIBERATE.find(({ lines }) => lines.test(line));
    if (entry) this.#needed.add(entry);
    return entry !== undefined;
  }
}

/**
 * Node 20's rm gives up at once where Node 26's removes what it can, and its copyFile leaves the owner alone: for these
 * node:fs is an oracle from 26 on.
 */
function isKnown({ id }: PermissionCase): boolean {
  return isFollowedVersion() || !/: (rm -r|copyFile)$/.test(id);
}

/** One test for each operation: what comes after the colon in the id. */
export function byOperation(cases: readonly PermissionCase[]): Map<string, PermissionCase[]> {
  const groups = new Map<string, PermissionCase[]>();
  for (const test of cases.filter(isKnown)) {
    const operation = test.id.slice(test.id.indexOf(":") + 2);
    groups.set(operation, [...(groups.get(operation) ?? []), test]);
  }
  return groups;
}
