/** A user's folder: the package packed as npm publishes it and installed, and what is run there. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface UserFolder {
  readonly folder: string;
  /** Paths of the files in the tarball. */
  readonly packed: readonly string[];
  /** Runs a command there. @returns its standard output @throws Error with its output when it fails */
  run(command: string, args: string[]): string;
  /** Writes a program there and runs it. @returns its standard output */
  node(file: string, source: string): string;
  read(file: string): string;
  remove(): void;
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** @param parent where the folder is made: what lies in its node_modules is within reach */
export function makeUserFolder(parent = tmpdir()): UserFolder {
  const folder = mkdtempSync(join(parent, "foliofs-package-"));
  const [{ filename, files }] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT),
  );
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], folder);
  return {
    folder,
    packed: files.map(({ path }: { path: string }) => path),
    run: (command, args) => run(command, args, folder),
    node(file, source) {
      writeFileSync(join(folder, file), source);
      return run(process.execPath, [file], folder);
    },
    read: (file) => readFileSync(join(folder, file), "utf8"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The folder with the tools of test/package/tools. @throws Error when they could not be installed */
export function toolsFolder(): string {
  const tools = inject("tools");
  if ("error" in tools) throw new Error(tools.error);
  return tools.folder;
}
