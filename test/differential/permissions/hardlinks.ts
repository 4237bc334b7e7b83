/**
 * Hard links to files of others. Linux restricts these where /proc/sys/fs/protected_hardlinks is 1, as Debian sets it:
 * without ownership one needs read and write permission, and the file must be regular and without set-id bits.
 */
import { readFileSync } from "node:fs";
import type { NodeFs } from "../../helpers/subject.ts";
import { CALLERS, makeDirectory, makeFile, type PermissionCase } from "./case.ts";

/** Whether the host's kernel restricts hard links. */
export function hasProtectedHardlinks(): boolean {
  return readFileSync("/proc/sys/fs/protected_hardlinks", "utf8").trim() === "1";
}

const MODES = [0o666, 0o644, 0o444, 0o222, 0o600, 0o000, 0o4777, 0o2777, 0o2767, 0o6666, 0o1777];

function fileCases(): PermissionCase[] {
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    MODES.map((mode) => ({
      id: `${name}: link to a file ${mode.toString(8)}`,
      caller,
      setUp: (fs: NodeFs, root: string) => {
        makeDirectory(fs, `${root}/d`, { mode: 0o777 });
        makeFile(fs, `${root}/f`, { mode });
      },
      call: (fs: NodeFs, root: string) => fs.linkSync(`${root}/f`, `${root}/d/new`),
    })),
  );
}

function otherKindCases(): PermissionCase[] {
  return Object.entries(CALLERS).flatMap(([name, caller]) =>
    ["l", "dir"].map((target) => ({
      id: `${name}: link to ${target}`,
      caller,
      setUp: (fs: NodeFs, root: string) => {
        makeDirectory(fs, `${root}/d`, { mode: 0o777 });
        makeDirectory(fs, `${root}/dir`, { mode: 0o777 });
        makeFile(fs, `${root}/f`, { mode: 0o666 });
        fs.symlinkSync("f", `${root}/l`);
      },
      call: (fs: NodeFs, root: string) => fs.linkSync(`${root}/${target}`, `${root}/d/new`),
    })),
  );
}

export const HARDLINK_CASES: readonly PermissionCase[] = [...fileCases(), ...otherKindCases()];
