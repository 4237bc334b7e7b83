/**
 * A git repository at a commit, mounted without a checkout: trees are read when a directory is looked into, blobs when a file is
 * read. The objects may lie anywhere that isomorphic-git can read: here, on the host, in another file system of foliofs.
 *
 *   import git from "isomorphic-git";
 *   await mountCommit(fs.kernel, { git, fs: nodeFs, gitdir: "/work/project/.git", ref: "main", target: "/main" });
 *   await fs.promises.readFile("/main/README.md", "utf8");
 *
 * Git answers by promise: synchronous calls of what has not been asked for yet fail with EAGAIN. Its trees do not tell sizes, so
 * a file's is 0 until it has been read, or loaded by stat() with `statLoads`.
 */
import type { FolioFs } from "../src/index.ts"; // in a project of your own: from "foliofs"
import { type LazyEntry, type LazyMountHandle, mountLazy } from "../src/lazy.ts"; // from "foliofs/lazy"

/** Of isomorphic-git, what is used. */
interface Git {
  resolveRef(args: { fs: object; gitdir: string; ref: string }): Promise<string>;
  readCommit(args: { fs: object; gitdir: string; oid: string; cache: object }): Promise<{ commit: Commit }>;
  readTree(args: { fs: object; gitdir: string; oid: string; cache: object }): Promise<{ tree: TreeEntry[] }>;
  readBlob(args: { fs: object; gitdir: string; oid: string; cache: object }): Promise<{ blob: Uint8Array }>;
}
type Commit = { tree: string; committer: { timestamp: number } };
type TreeEntry = { mode: string; path: string; oid: string };

/** An entry that knows its object. */
interface GitEntry extends LazyEntry {
  readonly oid: string;
}

export interface CommitOptions {
  git: Git;
  /** Where the repository lies. */
  fs: object;
  gitdir: string;
  /** A branch, a tag of a commit, or its id. */
  ref: string;
  target: string;
  /** Have stat() tell true sizes, by loading. */
  statLoads?: boolean;
}

const TYPES: Record<string, Pick<LazyEntry, "type" | "mode">> = {
  "040000": { type: "directory" },
  "120000": { type: "symlink" }, // its blob is where it leads: lazyfs loads it when it is followed
  "100755": { type: "file", mode: 0o555 },
  "160000": { type: "directory" }, // a submodule: as in a clone without them, it is empty
};

export async function mountCommit(kernel: FolioFs["kernel"], options: CommitOptions): Promise<LazyMountHandle> {
  const { git, fs, gitdir, ref, target, statLoads = false } = options;
  const cache = {}; // of packs, kept by isomorphic-git
  const object = (oid: string) => ({ fs, gitdir, oid, cache });
  const commitId = await git.resolveRef({ fs, gitdir, ref });
  const { commit } = await git.readCommit(object(commitId));
  const mtime = commit.committer.timestamp * 1000;
  const submodules = new Set<string>();

  function entryOf({ mode, path, oid }: TreeEntry): GitEntry {
    if (mode === "160000") submodules.add(oid);
    return { name: path, oid, mtime, ...(TYPES[mode] ?? { type: "file" }) };
  }

  return mountLazy<GitEntry>(
    kernel,
    {
      async list(_path, directory) {
        if (directory !== undefined && submodules.has(directory.oid)) return [];
        const { tree } = await git.readTree(object(directory?.oid ?? commit.tree));
        return tree.map(entryOf);
      },
      async loadFile(_path, { oid }) {
        return (await git.readBlob(object(oid))).blob;
      },
    },
    { target, source: `${gitdir}#${ref}`, statLoads },
  );
}
