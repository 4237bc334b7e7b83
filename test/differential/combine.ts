/** Options in combination. */

/** Values of each option by its name. A function makes a value anew for each call. */
export type OptionValues = Readonly<Record<string, readonly unknown[]>>;

/** Marks that an option is not given at all. */
const LEFT_OUT = Symbol("left out");

/** Up to so many combinations all are taken. */
const MOST_ALL = 32;

type Row = readonly number[];

function allRows(sizes: readonly number[]): Row[] {
  return sizes.reduce<Row[]>(
    (rows, size) => rows.flatMap((row) => Array.from({ length: size }, (_, value) => [...row, value])),
    [[]],
  );
}

function pairKey(a: number, valueOfA: number, b: number, valueOfB: number): string {
  return a < b ? `${a}=${valueOfA},${b}=${valueOfB}` : `${b}=${valueOfB},${a}=${valueOfA}`;
}

function allPairs(sizes: readonly number[]): Set<string> {
  const pairs = new Set<string>();
  for (let a = 0; a < sizes.length; a++)
    for (let b = a + 1; b < sizes.length; b++)
      for (let i = 0; i < sizes[a]; i++) for (let j = 0; j < sizes[b]; j++) pairs.add(pairKey(a, i, b, j));
  return pairs;
}

/** The value of `option` that brings most pairs that are still missing to what of the row is chosen. */
function bestValue(row: readonly (number | undefined)[], option: number, size: number, missing: Set<string>): number {
  const gainOf = (value: number): number =>
    row.filter((other, at) => other !== undefined && missing.has(pairKey(at, other, option, value))).length;
  const gains = Array.from({ length: size }, (_, value) => gainOf(value));
  return gains.indexOf(Math.max(...gains));
}

/** Rows in which every pair of values of two options is there: greedy, not the fewest. */
function pairwiseRows(sizes: readonly number[]): Row[] {
  const missing = allPairs(sizes);
  const rows: Row[] = [];
  for (const first of missing) {
    const row: (number | undefined)[] = sizes.map(() => undefined);
    for (const part of first.split(",")) {
      const [option, value] = part.split("=").map(Number);
      row[option] = value;
    }
    for (let option = 0; option < sizes.length; option++) {
      row[option] ??= bestValue(row, option, sizes[option], missing);
    }
    const whole = row as number[];
    rows.push(whole);
    for (let a = 0; a < sizes.length; a++)
      for (let b = a + 1; b < sizes.length; b++) missing.delete(pairKey(a, whole[a], b, whole[b]));
  }
  return rows;
}

export type MakeOptions = () => Record<string, unknown>;

/**
 * Options with every value of each, and every pair of values of two: all combinations where they are few. That an option
 * is left out is one of its values.
 */
export function combinations(values: OptionValues): MakeOptions[] {
  const names = Object.keys(values);
  const choices = names.map((name) => [LEFT_OUT, ...values[name]]);
  const sizes = choices.map(({ length }) => length);
  const nrAll = sizes.reduce((product, size) => product * size, 1);
  const rows = nrAll <= MOST_ALL || names.length < 2 ? allRows(sizes) : pairwiseRows(sizes);
  return rows.map((row) => () => {
    const chosen = row.map((value, option) => [names[option], choices[option][value]] as const);
    const given = chosen.filter(([, value]) => value !== LEFT_OUT);
    return Object.fromEntries(given.map(([name, value]) => [name, typeof value === "function" ? value() : value]));
  });
}
