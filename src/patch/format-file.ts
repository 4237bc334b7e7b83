/**
 * Writes what a patch says of one file, in git's form.
 *
 * Does not own: which lines differ (the library `diff`, given), which files there are.
 *
 * @see git-diff(1), "Generating patch text with -p"
 */

import { latin1Of } from "../base/latin1.ts";
import { utf8Decoder, utf8Encoder } from "../base/utf8.ts";
import { formatLiteral } from "./binary-patch.ts";
import { blobId } from "./blob-id.ts";
import { formatHunk, type Hunk, type HunkLine, replacingHunk, splitLines } from "./hunk.ts";
import { quoteName } from "./quoted-name.ts";

/** structuredPatch() of the library `diff`. */
export type StructuredPatch = (
  oldName: string,
  newName: string,
  old: string,
  now: string,
  oldHeader: string | undefined,
  newHeader: string | undefined,
  options: { context: number; maxEditLength: number },
) =>
  | { hunks: { oldStart: number; oldLines: number; newStart: number; newLines: number; lines: string[] }[] }
  | undefined;

export interface FormatTools {
  readonly structuredPatch: StructuredPatch;
  /** Lines around what has changed. */
  readonly context: number;
  /** Are binary contents written? */
  readonly hasBinary: boolean;
}

/** A file of one of two trees: mode as git has it, path as Latin-1 text of its bytes. */
export interface FileSide {
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** Lines that are taken out and put in before it is given up to look for the least of them: time goes with its square. */
const MAX_EDITS = 2000;
const NO_BYTES = new Uint8Array(0);
const NO_ID = "0".repeat(40);
const NO_NEWLINE = "\\ No newline at end of file";

/** Text is UTF-8 without NUL: so are patches. */
function isText(content: Uint8Array): boolean {
  if (content.includes(0)) return false;
  const again = utf8Encoder.encode(utf8Decoder.decode(content));
  return areEqual(again, content);
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function octal(mode: number): string {
  return mode.toString(8);
}

/** One file that was, or is, or both: under the same name, or renamed. @returns "" where git would not see a change */
export function formatFile(old: FileSide | undefined, now: FileSide | undefined, tools: FormatTools): string {
  const [from, to] = [old ?? (now as FileSide), now ?? (old as FileSide)];
  const isSame = old !== undefined && now !== undefined && areEqual(old.content, now.content);
  const body = isSame ? "" : formatContent(old, now, tools);
  const head = formatModes(old, now) + (from.path === to.path ? "" : formatRename(from, to, isSame));
  if (body === "" && head === "") return "";
  const index = isSame ? "" : formatIndex(old, now);
  return `diff --git ${quoteName(`a/${from.path}`)} ${quoteName(`b/${to.path}`)}\n${head}${index}${body}`;
}

function formatModes(old: FileSide | undefined, now: FileSide | undefined): string {
  if (old === undefined) return `new file mode ${octal((now as FileSide).mode)}\n`;
  if (now === undefined) return `deleted file mode ${octal(old.mode)}\n`;
  return old.mode === now.mode ? "" : `old mode ${octal(old.mode)}\nnew mode ${octal(now.mode)}\n`;
}

function formatRename(from: FileSide, to: FileSide, isSame: boolean): string {
  const similarity = isSame ? 100 : similarityOf(from.content, to.content);
  return `similarity index ${similarity}%\nrename from ${quoteName(from.path)}\nrename to ${quoteName(to.path)}\n`;
}

/** Percent of the larger one that is at the start and the end of both. */
function similarityOf(a: Uint8Array, b: Uint8Array): number {
  const both = Math.min(a.length, b.length);
  let head = 0;
  while (head < both && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < both - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return Math.min(99, Math.floor(((head + tail) * 100) / Math.max(a.length, b.length)));
}

function formatIndex(old: FileSide | undefined, now: FileSide | undefined): string {
  const idOf = (side: FileSide | undefined): string => (side === undefined ? NO_ID : blobId(side.content));
  const mode = old !== undefined && old.mode === now?.mode ? ` ${octal(old.mode)}` : "";
  return `index ${idOf(old)}..${idOf(now)}${mode}\n`;
}

function formatContent(old: FileSide | undefined, now: FileSide | undefined, tools: FormatTools): string {
  const [from, to] = [old?.content ?? NO_BYTES, now?.content ?? NO_BYTES];
  const names = [
    old === undefined ? "/dev/null" : quoteName(`a/${old.path}`),
    now === undefined ? "/dev/null" : quoteName(`b/${now.path}`),
  ];
  if (!isText(from) || !isText(to)) {
    if (!tools.hasBinary) return `Binary files ${names[0]} and ${names[1]} differ\n`;
    return `GIT binary patch\n${formatLiteral(to)}${formatLiteral(from)}`;
  }
  const hunks = hunksOf(latin1Of(from), latin1Of(to), tools);
  if (hunks.length === 0) return "";
  const [left, right] = names.map((name) => (name.includes(" ") ? `${name}\t` : name)); // else some would end it there
  return `--- ${left}\n+++ ${right}\n${hunks.map(formatHunk).join("")}`;
}

function hunksOf(from: string, to: string, { structuredPatch, context }: FormatTools): Hunk[] {
  const found = structuredPatch("", "", from, to, undefined, undefined, { context, maxEditLength: MAX_EDITS });
  if (found === undefined) return replacingHunk(splitLines(from), splitLines(to), context);
  return found.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
    oldStart: oldLines === 0 ? oldStart - 1 : oldStart,
    newStart: newLines === 0 ? newStart - 1 : newStart,
    lines: lines.flatMap((line, i) => linesOf(line, lines[i + 1])),
  }));
}

function linesOf(line: string, next: string | undefined): HunkLine[] {
  if (line === NO_NEWLINE) return [];
  return [{ sign: line[0] as HunkLine["sign"], text: line.slice(1) + (next === NO_NEWLINE ? "" : "\n") }];
}
