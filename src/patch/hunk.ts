/**
 * Hunks of unified diffs: how lines at one place become others.
 *
 * Does not own: which lines differ (the library `diff`).
 */

/** A line as in a patch, "\n" or its absence included: " " is in both, "-" in the old, "+" in the new. */
export interface HunkLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Lines that follow each other. */
export interface Hunk {
  /** Number of the first line, from 1; of the line before, where there are none. */
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly HunkLine[];
}

/** Lines of a text, each with its end. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Lines of the old side, or of the new one. */
function sideOf(hunk: Hunk, other: "-" | "+"): string[] {
  return hunk.lines.filter(({ sign }) => sign !== other).map(({ text }) => text);
}

export function oldLines(hunk: Hunk): string[] {
  return sideOf(hunk, "+");
}

export function newLines(hunk: Hunk): string[] {
  return sideOf(hunk, "-");
}

/** The way back. */
export function reverseHunk({ oldStart, newStart, lines }: Hunk): Hunk {
  const turned = { " ": " ", "-": "+", "+": "-" } as const;
  return {
    oldStart: newStart,
    newStart: oldStart,
    lines: lines.map(({ sign, text }) => ({ sign: turned[sign], text })),
  };
}

function range(start: number, nr: number): string {
  return nr === 1 ? `${start}` : `${start},${nr}`;
}

/** @returns lines of a patch */
export function formatHunk(hunk: Hunk): string {
  const { oldStart, newStart, lines } = hunk;
  const [old, now] = [oldLines(hunk).length, newLines(hunk).length];
  const body = lines.map(({ sign, text }) => {
    return text.endsWith("\n") ? sign + text : `${sign}${text}\n\\ No newline at end of file\n`;
  });
  return `@@ -${range(oldStart, old)} +${range(newStart, now)} @@\n${body.join("")}`;
}

/** A hunk that replaces all between the first and the last line that differ: where to look closer would take too long. */
export function replacingHunk(from: readonly string[], to: readonly string[], context: number): Hunk[] {
  const both = Math.min(from.length, to.length);
  let head = 0;
  while (head < both && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < both - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++;
  if (head === from.length && head === to.length) return [];
  const before = Math.max(0, head - context);
  const signed = (sign: HunkLine["sign"], lines: readonly string[]): HunkLine[] =>
    lines.map((text) => ({ sign, text }));
  const lines = [
    ...signed(" ", from.slice(before, head)),
    ...signed("-", from.slice(head, from.length - tail)),
    ...signed("+", to.slice(head, to.length - tail)),
    ...signed(" ", from.slice(from.length - tail, Math.min(from.length, from.length - tail + context))),
  ];
  const hunk = { oldStart: before + 1, newStart: before + 1, lines };
  const start = (nr: number): number => (nr === 0 ? before : before + 1);
  return [{ ...hunk, oldStart: start(oldLines(hunk).length), newStart: start(newLines(hunk).length) }];
}

// --- Applying -----------------------------------------------------------------------------------------------------------

/** The hunk, from 0 on, that does not fit. */
export class Misfit {
  readonly hunk: number;
  constructor(hunk: number) {
    this.hunk = hunk;
  }
}

/**
 * Makes the new text. A hunk may have moved, but its lines must be there as they are; one without any line around what changes is where it says;
 * one that has none before at the first line, or none behind, is at the start, or at the end.
 *
 * @returns or the first hunk that does not fit
 * @see git-apply(1)
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): string | Misfit {
  const lines = splitLines(text);
  const result: string[] = [];
  let done = 0;
  let moved = 0;
  for (const [number, hunk] of hunks.entries()) {
    const old = oldLines(hunk);
    const asked = hunk.oldStart - (old.length === 0 ? 0 : 1) + moved;
    const at = findLines(lines, old, asked, done, hunk);
    if (at < 0) return new Misfit(number);
    for (let i = done; i < at; i++) result.push(lines[i]);
    for (const line of newLines(hunk)) result.push(line);
    done = at + old.length;
    moved += at - asked;
  }
  for (let i = done; i < lines.length; i++) result.push(lines[i]);
  return result.join("");
}

/** Finds lines near to where they were asked for, `first` or later. @returns -1 where they are not */
function findLines(
  lines: readonly string[],
  old: readonly string[],
  asked: number,
  first: number,
  { oldStart, lines: signed }: Hunk,
): number {
  const hasBefore = signed.length > 0 && signed[0].sign === " ";
  const hasBehind = signed.at(-1)?.sign === " ";
  const last = lines.length - old.length;
  const isThere = (at: number): boolean => at >= first && at <= last && old.every((line, i) => lines[at + i] === line);
  if (!hasBefore && !hasBehind) return isThere(asked) ? asked : -1;
  if (!hasBefore && oldStart <= 1) return isThere(0) ? 0 : -1;
  if (!hasBehind) return isThere(last) ? last : -1;
  for (let distance = 0; asked - distance >= first || asked + distance <= last; distance++) {
    if (isThere(asked - distance)) return asked - distance;
    if (isThere(asked + distance)) return asked + distance;
  }
  return -1;
}
