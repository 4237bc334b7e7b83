/** A folder with the package beside the programs of package.json, installed on the first call: what they are run in. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { programPackages } from "../../scripts/package-tools.mjs";
import { makeUserFolder, type UserFolder } from "../package/user-folder.ts";

export interface ProgramFolder extends UserFolder {
  /** Where programs are installed. */
  readonly packages: string;
  /** Writes files, by path. */
  write(files: Readonly<Record<string, string>>): void;
}

/** @throws Error when programs cannot be installed, or the package cannot be packed */
export function makeProgramFolder(): ProgramFolder {
  const packages = programPackages();
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
