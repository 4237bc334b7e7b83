/** What fsx finds: something that is not as it should be. */

export interface Finding {
  /** What has to be the same for two of them to be one: what was done, and how it failed. */
  readonly kind: string;
  readonly message: string;
  /** The file, and the first byte that is wrong. */
  readonly place?: { readonly file: number; readonly at: number };
}

export class Mismatch extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

/** Bytes that are shown from the one before the first that is wrong. */
const SHOWN = 24;

/** Bytes are as they should be. @param at where they lie in the file @throws Mismatch */
export function expectBytes(what: string, file: number, at: number, actual: Uint8Array, expected: Uint8Array): void {
  expectNumber(`${what}: bytes`, actual.length, expected.length);
  if (Buffer.compare(actual, expected) === 0) return;
  const first = actual.findIndex((byte, i) => byte !== expected[i]);
  const nrWrong = actual.reduce((nr, byte, i) => (byte === expected[i] ? nr : nr + 1), 0);
  const from = Math.max(0, first - 1);
  const show = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(from, from + SHOWN)).toString("hex");
  const lines = [
    `${what}: file ${file} is wrong from byte ${at + first} on (page ${(at + first) >>> 12}, byte ${(at + first) & 4095}), ${nrWrong} of ${actual.length} bytes`,
    `    from ${at + from} expected ${show(expected)}`,
    `    from ${at + from} actual   ${show(actual)}`,
  ];
  throw new Mismatch({ kind: `${what} bytes`, message: lines.join("\n"), place: { file, at: at + first } });
}

/** @throws Mismatch */
export function expectNumber(what: string, actual: number, expected: number): void {
  if (actual !== expected)
    throw new Mismatch({ kind: what, message: `${what}: ${actual}, where ${expected} was expected` });
}

/** @throws Mismatch */
export function expectTrue(what: string, isTrue: boolean, told: () => string = () => "it is not so"): void {
  if (!isTrue) throw new Mismatch({ kind: what, message: `${what}: ${told()}` });
}
