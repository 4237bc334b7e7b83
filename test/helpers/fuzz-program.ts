/** The program of the fuzzer's oracle from the sources as they are: dist/ may be older. */
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

export function oracleProgram(): string {
  const entry = fileURLToPath(new URL("../../src/fuzz/oracle-process.ts", import.meta.url));
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  return outputFiles[0].text;
}
