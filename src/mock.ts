/**
 * foliofs/mock: one file system for tests, to be put in the place of `node:fs` and `node:fs/promises` both
 * (docs/recipes.md). Relative paths start where the process stands, which is there, as is `/tmp`.
 */
import { createFsSync } from "./index.ts";
import type { FolioFs } from "./index-kernel.ts";

/** What stands for `node:fs`. */
export const fs: FolioFs = createFsSync({ cwd: true });
/** What stands for `node:fs/promises`. */
export const promises: FolioFs["promises"] = fs.promises;

/** Makes the directories that a program takes for granted. */
function furnish(): void {
  const { process } = globalThis as { process?: { cwd?(): string } };
  fs.mkdirSync(process?.cwd?.() ?? "/", { recursive: true });
  fs.mkdirSync("/tmp", { recursive: true });
  fs.chmodSync("/tmp", 0o1777);
}

furnish();

/** Makes it as it was at first. Files that are open stay open. */
export function reset(): void {
  fs.reset();
  furnish();
}
