/** Finds where two described outcomes differ. */
import type { Described } from "./describe.ts";

export interface Difference {
  /** Where in the outcome, keys joined by dots; "" for the whole. */
  readonly at: string;
  /** ABSENT where only the other one has something. */
  readonly oracle: Described;
  readonly subject: Described;
}

export const ABSENT = "(absent)";

function isBranch(value: Described | undefined): value is Described[] | { [key: string]: Described } {
  return typeof value === "object" && value !== null;
}

function collect(oracle: Described | undefined, subject: Described | undefined, at: string, found: Difference[]): void {
  const comparable = isBranch(oracle) && isBranch(subject) && Array.isArray(oracle) === Array.isArray(subject);
  if (!comparable) {
    if (oracle !== subject)
      found.push({
        at,
        oracle: oracle === undefined ? ABSENT : oracle,
        subject: subject === undefined ? ABSENT : subject,
      });
    return;
  }

  const keys = new Set([...Object.keys(oracle), ...Object.keys(subject)]);
  for (const key of keys) {
    const left = (oracle as Record<string, Described>)[key];
    const right = (subject as Record<string, Described>)[key];
    collect(left, right, at === "" ? key : `${at}.${key}`, found);
  }
}

/** @returns one entry per leaf that differs; empty when the two are equal. The order of keys does not count. */
export function differences(oracle: Described, subject: Described): Difference[] {
  const found: Difference[] = [];
  collect(oracle, subject, "", found);
  return found;
}

/** One line for a report. */
export function showDifference({ at, oracle, subject }: Difference): string {
  return `${at}: oracle ${JSON.stringify(oracle)}, subject ${JSON.stringify(subject)}`;
}
