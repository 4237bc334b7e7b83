/**
 * What went wrong in a tree, as an errno.
 *
 * @see Linux fs/fuse/dev.c: what a server answers that makes no sense is EIO
 */
import * as numbers from "../../base/errno.ts";

const { EAGAIN, EIO } = numbers;

/** What a tree has answered makes no sense. */
export class BadAnswer extends Error {
  override readonly name = "BadAnswer";
}

/**
 * The errno that a thrown value stands for, by its `code`.
 *
 * @returns negated; -EIO for what has no code of Linux's, and for EAGAIN, which is said by who can say what is waited for
 */
export function errnoOf(error: unknown): number {
  const errno = (numbers as Record<string, number>)[codeOf(error)];
  return errno === undefined || errno === EAGAIN ? -EIO : -errno;
}

function codeOf(error: unknown): string {
  try {
    const { code } = error as { code?: unknown };
    return typeof code === "string" ? code : "";
  } catch {
    return ""; // null, or a getter of the tree's own
  }
}
