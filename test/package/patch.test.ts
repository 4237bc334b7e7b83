/** foliofs/patch as it is published: with kernels of every entry, in Node and in browsers, as ES modules and CommonJS. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT } from "./user-folder.ts";

const PROGRAM = `
  const fs = createFsSync();
  for (const dir of ["/a", "/b"]) fs.mkdirSync(dir);
  fs.writeFileSync("/a/text", "one\\ntwo\\n");
  fs.writeFileSync("/a/bytes", new Uint8Array(300));
  fs.kernel.layer({ lower: "/a", target: "/b" });
  fs.writeFileSync("/b/text", "one\\nTWO\\n");
  fs.truncateSync("/b/bytes", 200);
  const patch = formatPatch(fs, "/a", "/b");
  console.log(applyPatch(fs, "/a", patch).map(({ path }) => path).join(), fs.readFileSync("/a/text", "utf8") === "one\\nTWO\\n");
  try { applyPatch(fs, "/a", patch); } catch (error) { console.log(error instanceof PatchError, error.message); }
`;
const EXPECTED = "bytes,text true\ntrue foliofs: bytes: has another content than what the patch is of\n";

function outputOf(args: string[], program: string): string {
  return execFileSync(process.execPath, [...args, program], { cwd: ROOT, encoding: "utf8" });
}

describe("patches", () => {
  it.each(["index", "browser"])("are there for kernels of dist/%s.js", (entry) => {
    const imports = [
      `import { createFsSync } from "./dist/${entry}.js";`,
      'import "./dist/layers.js";',
      'import { applyPatch, formatPatch, PatchError } from "./dist/patch.js";',
    ];
    expect(outputOf(["--input-type=module", "-e"], imports.join("\n") + PROGRAM)).toBe(EXPECTED);
  });

  it("are there without what Node brings", () => {
    const imports = [
      "delete process.getBuiltinModule;",
      'const { createFsSync } = await import("./dist/browser.js");',
      'await import("./dist/layers.js");',
      'const { applyPatch, formatPatch, PatchError } = await import("./dist/patch.js");',
    ];
    expect(outputOf(["--input-type=module", "-e"], imports.join("\n") + PROGRAM)).toBe(EXPECTED);
  });

  it.each(["index", "browser"])("are there in CommonJS, for kernels of dist/%s.cjs", (entry) => {
    const requires = [
      `const { createFsSync } = require("./dist/${entry}.cjs");`,
      'require("./dist/layers.cjs");',
      'const { applyPatch, formatPatch, PatchError } = require("./dist/patch.cjs");',
    ];
    expect(outputOf(["-e"], requires.join("\n") + PROGRAM)).toBe(EXPECTED);
  });
});
