/** What is thrown for patches. */

import { latin1Bytes } from "../base/latin1.ts";
import { utf8Decoder } from "../base/utf8.ts";

/** ERR_INVALID_PATCH: it cannot be read; ERR_PATCH_CONFLICT: it does not fit the tree. */
export type PatchErrorCode = "ERR_INVALID_PATCH" | "ERR_PATCH_CONFLICT";

/** A patch cannot be read, or does not fit. Nothing has changed. */
export class PatchError extends Error {
  readonly code: PatchErrorCode;
  /** The file that it is about, as the patch has it. */
  readonly path: string | undefined;
  /** Of its hunks the one, from 1 on. */
  readonly hunk: number | undefined;

  /** @param path bytes as Latin-1 text */
  constructor(code: PatchErrorCode, message: string, path?: string, hunk?: number) {
    const shown = path === undefined ? undefined : shownPath(path);
    const where = shown === undefined ? "" : `${shown}: ${hunk === undefined ? "" : `hunk ${hunk}: `}`;
    super(`foliofs: ${where}${message}`);
    this.name = "PatchError";
    this.code = code;
    this.path = shown;
    this.hunk = hunk;
  }
}

function shownPath(path: string): string {
  return utf8Decoder.decode(latin1Bytes(path));
}
