/** A finding as a person reads it. */
import { showOperation } from "./operation.ts";
import type { FsxFinding } from "./session.ts";

/** The last of many. */
const SHOWN_OPERATIONS = 40;

/** Those that were about the bytes that are wrong have a mark. */
export function tellFinding({ seed, nrFound, message, operations, touching }: FsxFinding): string[] {
  const first = Math.max(0, operations.length - SHOWN_OPERATIONS);
  const isAbout = new Set(touching);
  const mark = (index: number): string => (index === operations.length - 1 ? ">" : isAbout.has(index) ? "*" : " ");
  return [
    `Seed ${seed}, operation ${nrFound}, shrunk to ${operations.length}:`,
    ...(first > 0 ? [`  … ${first} before`] : []),
    ...operations.slice(first).map((one, i) => `  ${mark(first + i)} ${first + i} ${showOperation(one)}`),
    message,
  ];
}
