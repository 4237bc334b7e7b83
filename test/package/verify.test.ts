/** foliofs/verify as it is published: for kernels of every entry, in Node and in browsers, as ES modules and CommonJS. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT } from "./user-folder.ts";

const PROGRAM = `
  const fs = createFsSync({ memoryLimit: 2 ** 25 });
  fs.writeFileSync("/a", "text");
  const bytes = fs.kernel.snapshot();
  const options = { memoryLimit: 2 ** 25, verify: verifySnapshot };
  console.log(restoreFsSync(bytes, options).readFileSync("/a", "utf8"));
  try { restoreFsSync(bytes.subarray(0, 5000), options); } catch (error) { console.log(error instanceof SnapshotError, error instanceof Own, error.message); }
`;
const EXPECTED = "text\ntrue true foliofs: this snapshot is not sound: it has not as many bytes as it says\n";

function outputOf(args: string[], program: string): string {
  return execFileSync(process.execPath, [...args, program], { cwd: ROOT, encoding: "utf8" });
}

describe("snapshots of strangers", () => {
  it.each(["index", "browser", "shared"])("are checked for kernels of dist/%s.js", (entry) => {
    const imports = [
      entry === "shared" ? 'import "./dist/shared.js";' : "",
      `import { SnapshotError as Own, createFsSync, restoreFsSync } from "./dist/${entry === "shared" ? "browser" : entry}.js";`,
      'import { SnapshotError, verifySnapshot } from "./dist/verify.js";',
    ];
    expect(outputOf(["--input-type=module", "-e"], imports.join("\n") + PROGRAM)).toBe(EXPECTED);
  });

  it("are checked without what Node brings", () => {
    const imports = [
      "delete process.getBuiltinModule;",
      'const { SnapshotError: Own, createFsSync, restoreFsSync } = await import("./dist/browser.js");',
      'const { SnapshotError, verifySnapshot } = await import("./dist/verify.js");',
    ];
    expect(outputOf(["--input-type=module", "-e"], imports.join("\n") + PROGRAM)).toBe(EXPECTED);
  });

  it.each(["index", "browser"])("are checked in CommonJS, for kernels of dist/%s.cjs", (entry) => {
    const requires = [
      `const { SnapshotError: Own, createFsSync, restoreFsSync } = require("./dist/${entry}.cjs");`,
      'const { SnapshotError, verifySnapshot } = require("./dist/verify.cjs");',
    ];
    expect(outputOf(["-e"], requires.join("\n") + PROGRAM)).toBe(EXPECTED);
  });
});
