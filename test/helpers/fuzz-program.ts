/** What the fuzzer starts, from the sources as they are: dist/ may be older. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildSync } from "esbuild";

function bundled(name: string): string {
  const entry = fileURLToPath(new URL(`../../src/fuzz/${name}.ts`, import.meta.url));
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  return outputFiles[0].text;
}

/** The program of the host's oracle. */
export function oracleProgram(): string {
  return bundled("oracle-process");
}

/** The module of the processes that file systems of others run in. @param name of the file: tests that run at once have one each */
export function otherProgram(name: string): URL {
  const file = fileURLToPath(new URL(`../../build/fuzz-other/${name}.mjs`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bundled("other-process"));
  return pathToFileURL(file);
}
