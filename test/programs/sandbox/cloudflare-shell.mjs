/** Each method of the FileSystem of @cloudflare/shell on ours and on its own InMemoryFs, and its state backend on both. */
import { FileSystemStateBackend, InMemoryFs } from "@cloudflare/shell";
import { createShellFs } from "foliofs/cloudflare-shell";
import { differences, outcomes } from "./outcomes.mjs";

const bytes = (...all) => Uint8Array.from(all);
const R = { recursive: true };
const F = { force: true };
const TREE = [
  ["writeFile", "/src/a.ts", "a"],
  ["writeFile", "/src/b.js", "b"],
  ["writeFile", "/src/deep/er/c.ts", "c"],
  ["writeFile", "/docs/[x].md", "x"],
  ["writeFile", "/.hidden/h.ts", "h"],
  ["writeFile", "/top.ts", "t"],
];

const SCENES = {
  "text and bytes": [
    ["writeFile", "/f", "hällo"],
    ["readFile", "/f"],
    ["readFileBytes", "/f"],
    ["writeFileBytes", "/g", bytes(0, 255, 128)],
    ["readFileBytes", "/g"],
    ["readFile", "/g"],
    ["stat", "/g"],
    ["writeFile", "/f", ""],
    ["readFile", "/f"],
    ["appendFile", "/f", "a"],
    ["appendFile", "/f", bytes(98)],
    ["readFile", "/f"],
    ["appendFile", "/new/dir/f", "new"],
    ["readFile", "/new/dir/f"],
    ["appendFile", "/new", "x"],
    ["readFile", "/new"],
    ["readFileBytes", "/"],
    ["writeFile", "/", "x"],
  ],
  "missing things": [
    ["readFile", "/none"],
    ["readFileBytes", "/none"],
    ["stat", "/none"],
    ["lstat", "/none"],
    ["readdir", "/none"],
    ["readdirWithFileTypes", "/none"],
    ["rm", "/none"],
    ["rm", "/none", F],
    ["rm", "/none/below", F],
    ["cp", "/none", "/x"],
    ["mv", "/none", "/x"],
    ["readlink", "/none"],
    ["realpath", "/none"],
    ["mkdir", "/none/below"],
    ["exists", "/none"],
    ["exists", "/"],
    ["exists", "/x\0y"],
    ["readFile", "/x\0y"],
    ["writeFile", "/x\0y", ""],
    ["rm", "/"],
    ["rm", "/", F],
  ],
  directories: [
    ["mkdir", "/a"],
    ["mkdir", "/a"],
    ["mkdir", "/a", R],
    ["mkdir", "/"],
    ["mkdir", "/", R],
    ["mkdir", "/a/b/c", R],
    ["writeFile", "/a/z", ""],
    ["writeFile", "/a/y", ""],
    ["readdir", "/a"],
    ["readdirWithFileTypes", "/a"],
    ["readdir", "/a/y"],
    ["mkdir", "/a/y"],
    ["stat", "/a"],
    ["stat", "/"],
    ["rm", "/a/b"],
    ["rm", "/a/b/c"],
    ["rm", "/a"],
    ["rm", "/a", R],
    ["exists", "/a"],
  ],
  paths: [
    ["writeFile", "a//b/./c/../f", "x"],
    ["readFile", "/a/b/f/"],
    ["readFile", "/../a/b/f"],
    ["resolvePath", "/a/b", "../c"],
    ["resolvePath", "/a/b", "/x/./y/../z"],
    ["resolvePath", "/", "x"],
    ["resolvePath", "/a", "../../.."],
    ["resolvePath", "/a", ""],
  ],
  "symbolic links": [
    ["writeFile", "/d/f", "through"],
    ["symlink", "d/f", "/l"],
    ["symlink", "/d", "/dir"],
    ["symlink", "f", "/made/for/it"],
    ["readFile", "/l"],
    ["readFile", "/dir/f"],
    ["readlink", "/l"],
    ["readlink", "/d/f"],
    ["stat", "/l"],
    ["lstat", "/l"],
    ["realpath", "/dir/f"],
    ["realpath", "/"],
    ["symlink", "x", "/l"],
    ["symlink", "nowhere", "/broken"],
    ["exists", "/broken"],
    ["stat", "/broken"],
    ["lstat", "/broken"],
    ["realpath", "/broken"],
    ["appendFile", "/l", "!"],
    ["readFile", "/d/f"],
    ["writeFile", "/l", "changed"],
    ["readFile", "/d/f"],
    ["rm", "/dir"],
    ["exists", "/d/f"],
    ["symlink", "loop", "/loop"],
    ["readFile", "/loop"],
    ["exists", "/loop"],
  ],
  copies: [
    ...TREE,
    ["cp", "/src/a.ts", "/copy"],
    ["readFile", "/copy"],
    ["cp", "/src/a.ts", "/new/dir/copy"],
    ["readFile", "/new/dir/copy"],
    ["cp", "/src", "/tree"],
    ["cp", "/src", "/tree", R],
    ["readFile", "/tree/deep/er/c.ts"],
    ["symlink", "a.ts", "/src/l"],
    ["cp", "/src", "/again", R],
    ["readlink", "/again/l"],
    ["cp", "/src", "/src/within", R],
    ["mv", "/copy", "/moved"],
    ["exists", "/copy"],
    ["readFile", "/moved"],
    ["mv", "/again", "/other/place"],
    ["readdir", "/other/place"],
    ["mv", "/moved", "/top.ts"],
    ["readFile", "/top.ts"],
    ["mv", "/tree", "/src"],
    ["readdir", "/src"],
  ],
  globs: [
    ...TREE,
    ...[
      "/**/*.ts",
      "/*.ts",
      "/src/*",
      "/src/**",
      "/**",
      "**",
      "*.ts",
      "/src/?.ts",
      "/src/[ab].*",
      "/src/[^a].*",
      "/**/er/*",
      "/src/{a,b}.{ts,js}",
      "/{src,docs}/**/*",
      "/none/*",
      "/src/a.t+s",
      "/[",
      "/{src",
      "/src/**/c.ts",
      "/**/**/**/c.ts",
      "",
    ].map((pattern) => ["glob", pattern]),
  ],
};

const ours = await outcomes(() => createShellFs(), SCENES);
const theirs = await outcomes(() => new InMemoryFs(), SCENES);
console.log(JSON.stringify({ differences: differences(ours, theirs), nr: Object.values(ours).flat().length }));

/** Work on the backend that @cloudflare/shell hands to programs as `state`. */
async function onBackend(fs) {
  const state = new FileSystemStateBackend(fs);
  const told = [];
  const say = async (call) =>
    told.push(
      await call.then(
        (value) => value ?? "done",
        (error) => error.message.split(",")[0],
      ),
    );
  await say(state.writeJson("/config.json", { a: [1, 2] }));
  await say(state.readJson("/config.json"));
  await say(state.writeFile("/src/index.ts", "export const foo = 1;\nexport const bar = foo;\n"));
  await say(state.searchFiles("/src/**/*.ts", "foo"));
  await say(state.replaceInFile("/src/index.ts", "foo", "baz"));
  await say(state.readFile("/src/index.ts"));
  await say(state.glob("/**/*"));
  await say(state.readdir("/"));
  await say(state.exists("/src"));
  await say(state.copyTree("/src", "/copy"));
  await say(state.moveTree("/copy", "/moved"));
  await say(state.removeTree("/src"));
  await say(state.readFile("/src/index.ts"));
  await say(state.glob("/**"));
  return JSON.stringify(told);
}
const [here, there] = [await onBackend(createShellFs()), await onBackend(new InMemoryFs())];
console.log(JSON.stringify([here === there, here === there ? JSON.parse(here).length : [here, there]]));
