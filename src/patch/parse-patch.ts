/**
 * Reads patches: git's extended ones, and plain unified diffs. What is between files (messages, statistics) is passed over.
 *
 * Does not own: binary contents (binary-patch.ts), names in quotes (quoted-name.ts).
 *
 * @see git-diff(1), "Generating patch text with -p"
 */
import { type BinaryHunk, readBinary } from "./binary-patch.ts";
import type { FilePatch } from "./file-patch.ts";
import type { Hunk, HunkLine } from "./hunk.ts";
import { PatchError } from "./patch-error.ts";
import { readQuoted } from "./quoted-name.ts";

const NOWHERE = "/dev/null";
const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
const INDEX = /^index ([0-9a-f]+)\.\.([0-9a-f]+)(?: ([0-7]{6}))?$/;
const WHOLE_ID = 40;
const NO_NEWLINE = "\\";

/** @param text bytes as Latin-1 text @param strip leading parts of paths that are left out @throws PatchError ERR_INVALID_PATCH */
export function parsePatch(text: string, strip: number): FilePatch[] {
  return new Parser(text, strip).run();
}

function invalid(message: string, line: number): PatchError {
  return new PatchError("ERR_INVALID_PATCH", `line ${line + 1} of the patch: ${message}`);
}

function newPatch(): FilePatch {
  return {
    kind: "modified",
    from: "",
    path: "",
    oldMode: undefined,
    mode: undefined,
    oldId: undefined,
    id: undefined,
    hunks: [],
    binary: undefined,
    isWithheld: false,
  };
}

class Parser {
  readonly #lines: string[];
  readonly #strip: number;
  readonly #patches: FilePatch[] = [];
  #at = 0;

  constructor(text: string, strip: number) {
    this.#lines = text.split("\n");
    this.#strip = strip;
  }

  run(): FilePatch[] {
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at];
      if (line.startsWith("diff --git ")) this.#git(line.slice(11));
      else if (line.startsWith("--- ") && this.#lines[this.#at + 1]?.startsWith("+++ ")) this.#plain();
      else if (HUNK.test(line)) throw invalid("a hunk of no file", this.#at);
      else this.#at++;
    }
    return this.#patches;
  }

  // --- Names ------------------------------------------------------------------------------------------------------------

  /** A name as it stands behind a keyword. @param strip parts that are left out */
  #name(text: string, strip: number): string {
    const name = text.startsWith('"') ? readQuoted(text)?.name : text;
    const parts = name?.split("/") ?? [];
    const path = parts.slice(strip).join("/");
    const isGood =
      path !== "" && !path.includes("\0") && path.split("/").every((part) => !["", ".", ".."].includes(part));
    if (!isGood) throw invalid(`no path below the directory: ${text}`, this.#at);
    return path;
  }

  /** The name of a `---` or `+++` line; undefined = there is no such file. */
  #side(line: string): string | undefined {
    const text = line.slice(4);
    const name = text.startsWith('"') ? text : text.split("\t")[0];
    return name === NOWHERE ? undefined : this.#name(name, this.#strip);
  }

  /** The name of a `diff --git` line that has the same twice; of others lines that follow tell. */
  #twice(text: string): string | undefined {
    const quoted = readQuoted(text);
    if (quoted !== undefined) return this.#name(text, this.#strip);
    for (let space = text.indexOf(" "); space >= 0; space = text.indexOf(" ", space + 1)) {
      const [left, right] = [text.slice(0, space), text.slice(space + 1)];
      const [old, now] = [left, right].map((name) => name.split("/").slice(this.#strip).join("/"));
      if (old !== "" && old === now) return this.#name(left, this.#strip);
    }
    return undefined;
  }

  // --- Files ------------------------------------------------------------------------------------------------------------

  #git(names: string): void {
    const patch = newPatch();
    const start = this.#at;
    const name = this.#twice(names);
    patch.from = patch.path = name ?? "";
    this.#at++;
    while (this.#header(patch)) this.#at++;
    if (this.#lines[this.#at]?.startsWith("--- ")) this.#sides(patch);
    else if (this.#lines[this.#at] === "GIT binary patch") this.#binary(patch);
    else if (/^Binary files .* differ$/.test(this.#lines[this.#at] ?? "")) {
      patch.isWithheld = true;
      this.#at++;
    }
    this.#hunks(patch);
    if (patch.path === "" || patch.from === "") throw invalid("no name of a file", start);
    this.#patches.push(patch);
  }

  /** Reads a line that says something of the file. @returns false for any other */
  #header(patch: FilePatch): boolean {
    const line = this.#lines[this.#at] ?? "";
    const [, word, rest] =
      /^(old mode|new mode|deleted file mode|new file mode|(?:copy|rename) (?:from|to)|(?:dis)?similarity index|index) (.*)$/s.exec(
        line,
      ) ?? [];
    if (word === undefined) return false;
    if (word === "index") this.#index(patch, line);
    else if (word.endsWith("mode")) this.#mode(patch, word, rest);
    else if (word.endsWith("from")) patch.from = this.#name(rest, this.#strip - 1);
    else if (word.endsWith("to")) {
      patch.path = this.#name(rest, this.#strip - 1);
      patch.kind = word === "copy to" ? "copied" : "renamed";
    }
    return true;
  }

  #mode(patch: FilePatch, word: string, text: string): void {
    if (!/^[0-7]{6}$/.test(text)) throw invalid(`no mode: ${text}`, this.#at);
    const mode = Number.parseInt(text, 8);
    if (word === "old mode" || word === "deleted file mode") patch.oldMode = mode;
    if (word === "new mode" || word === "new file mode") patch.mode = mode;
    if (word === "deleted file mode") patch.kind = "removed";
    if (word === "new file mode") patch.kind = "added";
  }

  #index(patch: FilePatch, line: string): void {
    const [, old, now, mode] = INDEX.exec(line) ?? [];
    if (old?.length === WHOLE_ID) patch.oldId = old;
    if (now?.length === WHOLE_ID) patch.id = now;
    if (mode !== undefined) patch.oldMode = patch.mode = Number.parseInt(mode, 8);
  }

  #sides(patch: FilePatch): void {
    const old = this.#side(this.#lines[this.#at++]);
    const line = this.#lines[this.#at] ?? "";
    if (!line.startsWith("+++ ")) throw invalid("--- without +++", this.#at);
    const now = this.#side(line);
    this.#at++;
    const isRename = patch.kind === "renamed" || patch.kind === "copied";
    const isAsBefore = isRename
      ? old === patch.from && now === patch.path
      : (old === undefined) === (patch.kind === "added") && (now === undefined) === (patch.kind === "removed");
    if (!isAsBefore) throw invalid("names that say something else than what stands before", this.#at - 1);
    patch.from = old ?? (now as string);
    patch.path = now ?? (old as string);
  }

  /** A file of a diff that is not git's. */
  #plain(): void {
    const patch = newPatch();
    const start = this.#at;
    const old = this.#side(this.#lines[start]);
    const now = this.#side(this.#lines[start + 1]);
    this.#at += 2;
    const name = now ?? old;
    if (name === undefined) throw invalid("no name of a file", start);
    patch.from = patch.path = name;
    if (old === undefined) patch.kind = "added";
    if (now === undefined) patch.kind = "removed";
    this.#hunks(patch);
    this.#patches.push(patch);
  }

  // --- Contents ---------------------------------------------------------------------------------------------------------

  #binary(patch: FilePatch): void {
    const read = (): BinaryHunk => {
      const found = readBinary(this.#lines, this.#at);
      if (found === undefined) throw invalid("a damaged binary patch", this.#at);
      this.#at = found.end;
      return found.hunk;
    };
    this.#at++;
    const forth = read();
    const back = /^(literal|delta) \d+$/.test(this.#lines[this.#at] ?? "") ? read() : undefined;
    patch.binary = { forth, back };
  }

  #hunks(patch: FilePatch): void {
    for (
      let found = HUNK.exec(this.#lines[this.#at] ?? "");
      found !== null;
      found = HUNK.exec(this.#lines[this.#at] ?? "")
    ) {
      const [, oldStart, old = "1", newStart, now = "1"] = found;
      this.#at++;
      const lines = this.#hunkLines(Number(old), Number(now));
      patch.hunks.push({ oldStart: Number(oldStart), newStart: Number(newStart), lines } satisfies Hunk);
    }
  }

  /** @param old lines of the old side @param now lines of the new one */
  #hunkLines(old: number, now: number): HunkLine[] {
    const lines: HunkLine[] = [];
    for (let [left, right] = [old, now]; left > 0 || right > 0; ) {
      const line = this.#at < this.#lines.length - 1 ? this.#lines[this.#at] : undefined; // behind the last "\n" there is none
      const sign = line === "" ? " " : line?.[0];
      if (sign !== " " && sign !== "-" && sign !== "+") throw invalid("a hunk with fewer lines than it says", this.#at);
      if (sign !== "+") left--;
      if (sign !== "-") right--;
      if (left < 0 || right < 0) throw invalid("a hunk with other lines than it says", this.#at);
      this.#at++;
      lines.push({ sign, text: this.#hunkText((line as string).slice(1)) });
    }
    return lines;
  }

  /** A line with its end. */
  #hunkText(text: string): string {
    if (!this.#lines[this.#at]?.startsWith(NO_NEWLINE)) return `${text}\n`;
    this.#at++;
    return text;
  }
}
