/** A project for bundlers: real packages with exports and nested dependencies, links, chunks that load on demand. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyIn } from "./copy-in.mjs";

const PACKAGES = ["glob", "path-scurry", "minipass", "brace-expansion", "balanced-match"];
const INSTALLED = join(dirname(fileURLToPath(import.meta.url)), "../node_modules");

const FILES = {
  "package.json": JSON.stringify({ name: "bundled", type: "module", sideEffects: ["./source/effect.js"] }),
  "source/main.js": `
import { Glob, escape } from "glob";
import { PathScurry } from "path-scurry";
import shared, { used } from "./shared.js";
import * as workspace from "workspace";
import "./effect.js";
export { escape };
export const names = Object.keys(workspace);
export const all = () => [Glob, PathScurry, shared, used];
export const later = (which) => (which ? import("./later/one.js") : import("./later/two.js"));
`,
  "source/second.js": `import shared from "./shared.js";\nimport { Minipass } from "minipass";\nexport default [shared, Minipass];\n`,
  "source/shared.js":
    "export default 'shared';\nexport const used = 1;\nexport const unused = () => 'nobody wants this';\n",
  "source/effect.js": "globalThis.effect = true;\n",
  "source/pure.js": "export const pure = 'left out';\n",
  "source/later/one.js": `export { braceExpand } from "./../reexport.js";\nexport const one = 'ü€😀';\n`,
  "source/later/two.js": `import { pure } from "../pure.js";\nexport const two = () => import("./one.js");\n`,
  "source/reexport.js": `export { expand as braceExpand } from "brace-expansion";\n`,
  "packages/workspace/package.json": JSON.stringify({
    name: "workspace",
    type: "module",
    exports: { ".": { types: "./no.d.ts", import: "./index.js" } },
  }),
  "packages/workspace/index.js": "export * from './deep/inner.js';\n",
  "packages/workspace/deep/inner.js":
    "export const inner = 'inner';\nexport { default as shared } from '../../../source/shared.js';\n",
};

/** Writes the project to `folder`. */
export function makeProject(fs, folder) {
  for (const [path, text] of Object.entries(FILES)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), text);
  }
  for (const name of PACKAGES)
    copyIn(
      fs,
      join(INSTALLED, name),
      join(folder, "node_modules", name),
      (path) => !/\.\w+$/.test(path) || /\.js$|package\.json$/.test(path),
    );
  fs.symlinkSync("../packages/workspace", join(folder, "node_modules/workspace"));
}
