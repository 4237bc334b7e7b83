/** Numbers as a reader wants them. */

const UNITS = [
  { unit: "ns", ns: 1 },
  { unit: "µs", ns: 1e3 },
  { unit: "ms", ns: 1e6 },
  { unit: "s", ns: 1e9 },
] as const;

/** Time with three digits: "133 ns", "2.04 µs". */
export function formatNs(ns: number): string {
  const unit = UNITS.findLast((each) => ns >= each.ns * 0.9995) ?? UNITS[0];
  return `${threeDigits(ns / unit.ns)} ${unit.unit}`;
}

/** "6.4×"; without a number "". */
export function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? "" : `${ratio < 10 ? ratio.toFixed(ratio < 2 ? 2 : 1) : ratio.toFixed(0)}×`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value.toFixed(value >= 9.995 ? 1 : 2);
}
