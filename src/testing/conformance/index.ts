/** All suites by name: what every file system has to pass. */
import { directorySuite } from "./directory.ts";
import { limitSuite } from "./limits.ts";
import { linkSuite } from "./link.ts";
import { lseekSuite } from "./lseek.ts";
import { mknodSuite } from "./mknod.ts";
import { openSuite } from "./open.ts";
import { permissionSuite } from "./permissions.ts";
import { readWriteSuite } from "./read-write.ts";
import { readdirSuite } from "./readdir.ts";
import { renameSuite } from "./rename.ts";
import { statSuite } from "./stat.ts";
import type { Suite } from "./suite.ts";
import { symlinkSuite } from "./symlink.ts";
import { timesSuite } from "./times.ts";
import { truncateSuite } from "./truncate.ts";

export const SUITES: Readonly<Record<string, Suite>> = {
  open: openSuite,
  "read and write": readWriteSuite,
  "lseek and fallocate": lseekSuite,
  truncate: truncateSuite,
  rename: renameSuite,
  "link and unlink": linkSuite,
  "mkdir and rmdir": directorySuite,
  "symlink and the walk": symlinkSuite,
  readdir: readdirSuite,
  times: timesSuite,
  "mknod and umask": mknodSuite,
  permissions: permissionSuite,
  limits: limitSuite,
  stat: statSuite,
};
