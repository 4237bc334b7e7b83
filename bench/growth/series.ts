/** One line of the growth tables: a cost at growing sizes, and how much it bends. */

export interface Series {
  readonly title: string;
  /** One value for each size; undefined where there is none. */
  readonly values: (number | undefined)[];
  readonly unit: "ns" | "bytes" | "KiB" | "ratio";
  /** The last value may be this many times the first; undefined = shown, not judged. */
  readonly maxBend?: number;
  /** The last value, that of the largest size, may not be above this. */
  readonly maxValue?: number;
}

/** The last value divided by the first: 1 is flat, above 1 the cost grows with the size. */
export function bendOf({ values }: Series): number | undefined {
  const [first, last] = [values[0], values.at(-1)];
  return first && last !== undefined ? last / first : undefined;
}

/** @returns what is wrong with it, in a few words; "" if nothing */
export function complaintOf(series: Series): string {
  const bend = bendOf(series);
  if (series.maxBend !== undefined && bend !== undefined && bend > series.maxBend)
    return `BENDS (at most ${series.maxBend})`;
  const { maxValue = Number.POSITIVE_INFINITY, values } = series;
  return (values.at(-1) ?? 0) > maxValue ? `OVER ${maxValue}` : "";
}

const TITLE_WIDTH = 36;
const CELL_WIDTH = 11;

export function renderSeries(head: string, sizes: readonly string[], lines: readonly Series[]): string {
  const top = head.padEnd(TITLE_WIDTH) + [...sizes, "bend"].map((cell) => cell.padStart(CELL_WIDTH)).join("");
  const rows = lines.map((line) => {
    const cells = [...line.values.map((value) => cellOf(value, line.unit)), cellOf(bendOf(line), "ratio")];
    return `  ${line.title.padEnd(TITLE_WIDTH - 2)}${cells.map((cell) => cell.padStart(CELL_WIDTH)).join("")}  ${complaintOf(line)}`;
  });
  return [top, ...rows.map((row) => row.trimEnd())].join("\n");
}

function cellOf(value: number | undefined, unit: Series["unit"]): string {
  if (value === undefined) return "–";
  if (unit === "ratio") return value.toFixed(2);
  if (unit === "ns") return `${value.toFixed(value < 100 ? 1 : 0)} ns`;
  return unit === "KiB" ? `${value.toFixed(0)} KiB` : `${value.toFixed(1)} B`;
}
