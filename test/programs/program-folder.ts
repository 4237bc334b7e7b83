/** A folder with the package beside the programs of package.json, which are installed: what they are run in. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import { makeUserFolder, type UserFolder } from "../package/user-folder.ts";

export interface ProgramFolder extends UserFolder {
  /** Where programs are installed. */
  readonly packages: string;
  /** Writes files, by path. */
  write(files: Readonly<Record<string, string>>): void;
}

/** @throws Error when the package cannot be packed */
export function makeProgramFolder(): ProgramFolder {
  const packages = inject("programs");
  const user = makeUserFolder(packages);
  return {
    ...user,
    packages,
    write(files) {
      for (const [path, text] of Object.entries(files)) {
        const full = join(user.folder, path);
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, text);
      }
    },
  };
}
