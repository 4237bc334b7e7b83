/** The host's own tmpfs through node:fs, as a target. */
import * as fs from "node:fs";
import type { HostTree } from "./host-tree.ts";
import type { Skip, Target } from "./target.ts";
import { makeTemporaryFolder, TMPFS_FOLDER, whyNoRoom, whyNoTmpfs } from "./temporary-folder.ts";

const NAME = "tmpfs";
const BLOCK_BYTES = 512;
const NS_PER_SECOND = 1e9;

/** Bytes of the blocks of a loaded tree. Lists no folder: that would change access times. */
function blockBytes(root: string, tree: HostTree): number {
  const names = tree.entries.filter(({ linkOf }) => linkOf === undefined);
  return names.reduce((sum, { path }) => sum + fs.lstatSync(`${root}/${path}`).blocks * BLOCK_BYTES, 0);
}

/** A folder of the host, which `destroy` removes. */
export function folderTarget(name: string, root: string, tree: HostTree): Target {
  return {
    name,
    fs,
    root,
    keepsLinkModes: true,
    timeResolutionNs: 2_000n, // node:fs takes seconds as a double and passes on microseconds
    setTimes: (path, atimeNs, mtimeNs) =>
      fs.lutimesSync(path, Number(atimeNs) / NS_PER_SECOND, Number(mtimeNs) / NS_PER_SECOND),
    memoryBytes: () => blockBytes(root, tree),
    clear: () => {
      fs.rmSync(root, { recursive: true });
      fs.mkdirSync(root);
    },
    destroy: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

/** Makes an empty folder on the host's tmpfs; `destroy` removes it. */
export function hostTarget(tree: HostTree): Target | Skip {
  const reason = whyNoTmpfs() ?? whyNoRoom(TMPFS_FOLDER, tree);
  return reason === undefined ? folderTarget(NAME, makeTemporaryFolder(TMPFS_FOLDER), tree) : { name: NAME, reason };
}
