/** examples/lazy-git.ts with the real isomorphic-git: a commit is read without a checkout, and no more of it than is asked for. */
import { readFileSync } from "node:fs";
import { transform } from "esbuild";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeProgramFolder, type ProgramFolder } from "./program-folder.ts";

const EXAMPLE = readFileSync(new URL("../../examples/lazy-git.ts", import.meta.url), "utf8");

/** Two commits in a repository of the host's, and both mounted. */
const PROGRAM = `
import { execFileSync } from "node:child_process";
import nodeFs from "node:fs";
import git from "isomorphic-git";
import { createFsSync } from "foliofs";
import { mountCommit } from "./lazy-git.mjs";

const dir = nodeFs.mkdtempSync("lazy-git-repository-");
const author = { name: "A", email: "a@example.org", timestamp: 1_700_000_000, timezoneOffset: 0 };
const write = async (path, data, mode = 0o644) => {
  nodeFs.mkdirSync(\`\${dir}/\${path}\`.replace(/\\/[^/]*$/, ""), { recursive: true });
  nodeFs.writeFileSync(\`\${dir}/\${path}\`, data);
  nodeFs.chmodSync(\`\${dir}/\${path}\`, mode);
  await git.add({ fs: nodeFs, dir, filepath: path });
};
await git.init({ fs: nodeFs, dir, defaultBranch: "main" });
await write("README.md", "first\\n");
await write("bin/run", "#!/bin/sh\\n", 0o755);
const data = Buffer.alloc(300_000, "0123456789\\n");
await write("src/deep/large", data);
await write("src/deep/empty", "");
nodeFs.symlinkSync("../README.md", \`\${dir}/src/readme\`);
await git.add({ fs: nodeFs, dir, filepath: "src/readme" });
const first = await git.commit({ fs: nodeFs, dir, message: "one", author });
await write("README.md", "second\\n");
await git.commit({ fs: nodeFs, dir, message: "two", author });

// The objects are counted as they are read.
const asked = { readTree: 0, readBlob: 0 };
const counting = {
  ...git,
  readTree: (args) => (asked.readTree++, git.readTree(args)),
  readBlob: (args) => (asked.readBlob++, git.readBlob(args)),
};
const say = (...values) => console.log(JSON.stringify(values));
const fs = createFsSync();
fs.mkdirSync("/main");
fs.mkdirSync("/first");
const gitdir = \`\${dir}/.git\`;
await mountCommit(fs.kernel, { git: counting, fs: nodeFs, gitdir, ref: "main", target: "/main", statLoads: true });
await mountCommit(fs.kernel, { git: counting, fs: nodeFs, gitdir, ref: first, target: "/first" });
say("mounted", asked);
say(await fs.promises.readdir("/main"), asked);
say(await fs.promises.readFile("/main/README.md", "utf8"), await fs.promises.readFile("/first/README.md", "utf8"));
say(await fs.promises.readFile("/main/src/readme", "utf8"), await fs.promises.readlink("/main/src/readme"));
say((await fs.promises.stat("/first/src/deep/large")).size, (await fs.promises.stat("/main/src/deep/large")).size);
say((await fs.promises.readFile("/first/src/deep/large")).equals(data), (await fs.promises.stat("/first/src/deep/large")).size);
say((await fs.promises.stat("/main/bin/run")).mode.toString(8), (await fs.promises.stat("/main/bin/run")).mtimeMs);
say(await fs.promises.readdir("/main", { recursive: true }));
say(fs.readFileSync("/main/README.md", "utf8"), asked);
try {
  fs.writeFileSync("/main/README.md", "");
} catch ({ code }) {
  say(code);
}
await fs.promises.cp("/main", "/copy", { recursive: true });
say(fs.readFileSync("/copy/src/deep/large").equals(data), fs.readFileSync("/copy/src/deep/empty").length);
await fs.kernel.umountAsync("/main");
say(fs.readdirSync("/main"));
nodeFs.rmSync(dir, { recursive: true });
`;

let user: ProgramFolder;

beforeEach(() => {
  user = makeProgramFolder();
});

afterEach(() => user.remove());

it("mounts commits, and reads trees and blobs when they are asked for", async () => {
  const source = EXAMPLE.replace("../src/index.ts", "foliofs").replace("../src/lazy.ts", "foliofs/lazy");
  const { code } = await transform(source, { loader: "ts", format: "esm" });
  user.write({ "lazy-git.mjs": code, "program.mjs": PROGRAM });
  const told = user.run(process.execPath, ["program.mjs"]).trim().split("\n");
  expect(told.map((line) => JSON.parse(line))).toEqual([
    ["mounted", { readTree: 0, readBlob: 0 }],
    [["README.md", "bin", "src"], { readTree: 1, readBlob: 0 }],
    ["second\n", "first\n"],
    ["second\n", "../README.md"],
    [0, 300_000],
    [true, 300_000],
    ["100555", 1_700_000_000_000],
    [["README.md", "bin", "src", "bin/run", "src/deep", "src/readme", "src/deep/empty", "src/deep/large"]],
    ["second\n", { readTree: 7, readBlob: 6 }],
    ["EROFS"],
    [true, 0],
    [[]],
  ]);
});
