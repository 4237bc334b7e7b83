/**
 * What the compiled core must look like in text form, so that a second instance over the same memory sees the same
 * world and overwrites nothing when it starts.
 */

/** Size limit of a release core, in bytes. */
export const RELEASE_CORE_LIMIT_BYTES = 64 * 1024;

const RELEASE_RULES = [
  { pattern: /\(mut\b/, message: "a mutable global" },
  { pattern: /\(data\b/, message: "a data segment" },
  { pattern: /\(start\b/, message: "a start function" },
  { pattern: /\(import "env" "abort"/, message: "an import of abort: an assertion is left" },
];

/**
 * Finds what a release core must not hold.
 *
 * @param wat text form of a release core
 * @returns one sentence per breach, with the line; empty when all is well
 */
export function releaseBreaches(wat) {
  const breaches = [];
  for (const [i, line] of wat.split("\n").entries()) {
    for (const { pattern, message } of RELEASE_RULES) {
      if (pattern.test(line)) breaches.push(`${message} in line ${i + 1}: ${line.trim().slice(0, 160)}`);
    }
  }
  return breaches;
}
