/** What a patch says of one file. */
import type { BinaryHunk } from "./binary-patch.ts";
import { type Hunk, reverseHunk } from "./hunk.ts";

export const MODE_FILE = 0o100644;
export const MODE_EXECUTABLE = 0o100755;
export const MODE_LINK = 0o120000;

/** A binary content each way; `back` may not be there. */
export interface BinaryChange {
  readonly forth: BinaryHunk;
  readonly back: BinaryHunk | undefined;
}

/** Paths are bytes as Latin-1 text, without what is stripped. */
export interface FilePatch {
  kind: "added" | "removed" | "modified" | "renamed" | "copied";
  /** Of what is added, the same as `path`. */
  from: string;
  path: string;
  /** As git has modes; undefined = nothing is said. */
  oldMode: number | undefined;
  mode: number | undefined;
  /** Whole ids of contents, where they are told. */
  oldId: string | undefined;
  id: string | undefined;
  hunks: Hunk[];
  binary: BinaryChange | undefined;
  /** "Binary files differ" is all that it says. */
  isWithheld: boolean;
}

const BACK = { added: "removed", removed: "added", modified: "modified", renamed: "renamed" } as const;

/** The way back. @returns undefined where there is none: of copies, and of contents without what they were */
export function reversePatch(patch: FilePatch): FilePatch | undefined {
  const { kind, from, path, oldMode, mode, oldId, id, binary, hunks } = patch;
  if (kind === "copied" || (binary && binary.back === undefined)) return undefined;
  return {
    ...patch,
    kind: BACK[kind],
    ...(kind === "renamed" ? { from: path, path: from } : {}),
    ...{ oldMode: mode, mode: oldMode, oldId: id, id: oldId },
    hunks: hunks.map(reverseHunk),
    binary: binary && { forth: binary.back as BinaryHunk, back: binary.forth },
  };
}
