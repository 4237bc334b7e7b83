/** A tree and patterns for what lists files: links in circles, dangling ones, directories that may not be read. */
import { join } from "node:path";
import { makeTree, setTimes } from "./make-tree.mjs";

export const PATTERNS = [
  "**",
  "**/*.txt",
  "*",
  "*/level-?/**/*.{js,txt}",
  "dir-[1-4]/**/f*-2[0-3].*",
  "**/.*",
  "{dir-0,dir-3}/**/ü*",
  "**/*日本*",
  "**/😀*",
  "**/link-to-directory/*",
  "!(dir-*)",
  "dir-1/+(level-0|x)/**",
  "**/\\[brackets\\]*",
  "./dir-0/../dir-0/*.txt",
  "dir-0/",
  "missing/**",
  "loop/**",
  "closed/**",
  "../*/dir-2/*",
];

export function makeGlobTree(fs, root) {
  makeTree(fs, root, { directories: 8 });
  fs.mkdirSync(join(root, "loop"));
  fs.symlinkSync("..", join(root, "loop", "up"));
  fs.symlinkSync("self", join(root, "loop", "self"));
  fs.symlinkSync(join(root, "dir-2"), join(root, "loop", "absolute"));
  fs.mkdirSync(join(root, "closed", "inside"), { recursive: true });
  fs.writeFileSync(join(root, "closed", "inside", "file.txt"), "");
  fs.mkdirSync(join(root, "names-only"));
  fs.writeFileSync(join(root, "names-only", "file.txt"), "");
  setTimes(fs, root);
  fs.chmodSync(join(root, "closed"), 0o000);
  fs.chmodSync(join(root, "names-only"), 0o644);
}
