/** git of the host, as the oracle for patches; and trees that go there and come back, as git sees them. */
import { execFileSync, spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The calls of node:fs that trees are read and made with. */
export type TreeFs = Pick<
  typeof nodeFs,
  | "lstatSync"
  | "readdirSync"
  | "readFileSync"
  | "readlinkSync"
  | "writeFileSync"
  | "mkdirSync"
  | "symlinkSync"
  | "chmodSync"
>;

/** A tree as patches know it: by path (bytes as Latin-1 text) mode of git and content. Empty directories are not in it. */
export type GitTree = Map<string, string>;

export const hasGit = spawnSync("git", ["--version"]).status === 0;

function bytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

export function readTree(fs: TreeFs, root: string): GitTree {
  const tree: GitTree = new Map();
  const visit = (path: string): void => {
    for (const name of fs.readdirSync(bytes(root + path), { encoding: "buffer" }) as Buffer[]) {
      const child = `${path}/${name.toString("latin1")}`;
      const at = bytes(root + child);
      const { mode } = fs.lstatSync(at);
      const type = mode & 0o170000;
      if (type === 0o040000) visit(child);
      else if (type === 0o120000) tree.set(child, `link ${fs.readlinkSync(at, "latin1")}`);
      else if (type === 0o100000)
        tree.set(child, `${mode & 0o100 ? "755" : "644"} ${fs.readFileSync(at).toString("latin1")}`);
    }
  };
  visit("");
  return new Map([...tree].sort());
}

export function writeTree(fs: TreeFs, root: string, tree: GitTree): void {
  fs.mkdirSync(root, { recursive: true });
  for (const [path, file] of tree) {
    const at = bytes(root + path);
    fs.mkdirSync(bytes((root + path).replace(/\/[^/]*$/, "")), { recursive: true });
    const content = bytes(file.slice(file.indexOf(" ") + 1));
    if (file.startsWith("link ")) fs.symlinkSync(content, at);
    else {
      fs.writeFileSync(at, content);
      fs.chmodSync(at, file.startsWith("755") ? 0o755 : 0o644);
    }
  }
}

/** Works in a new directory of the host, which is no repository, and goes afterwards. */
export function inHostFolder<T>(work: (folder: string) => T): T {
  const folder = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-git-"));
  try {
    return work(folder);
  } finally {
    nodeFs.rmSync(folder, { recursive: true, force: true });
  }
}

const ENVIRONMENT = {
  ...process.env,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  LC_ALL: "C",
  HOME: "/nonexistent",
};

/** What `git apply` makes of a tree. @throws Error with what it says */
export function gitApply(tree: GitTree, patch: string | Buffer, ...flags: string[]): GitTree {
  return inHostFolder((folder) => {
    writeTree(nodeFs, `${folder}/t`, tree);
    const env = { ...ENVIRONMENT, GIT_CEILING_DIRECTORIES: folder };
    execFileSync("git", ["apply", "--whitespace=nowarn", ...flags], {
      cwd: `${folder}/t`,
      input: patch,
      env,
      stdio: "pipe",
    });
    return readTree(nodeFs, `${folder}/t`);
  });
}

/** What `git diff` tells of two trees, to be applied with two parts of each path left out. */
export function gitDiff(a: GitTree, b: GitTree, ...flags: string[]): Buffer {
  return inHostFolder((folder) => {
    writeTree(nodeFs, `${folder}/a`, a);
    writeTree(nodeFs, `${folder}/b`, b);
    const env = { ...ENVIRONMENT, GIT_CEILING_DIRECTORIES: folder };
    const { stdout, status, stderr } = spawnSync("git", ["diff", "--no-index", ...flags, "a", "b"], {
      cwd: folder,
      env,
      maxBuffer: 2 ** 28,
    });
    if (status !== 0 && status !== 1) throw new Error(String(stderr));
    return stdout;
  });
}
