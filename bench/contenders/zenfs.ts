/**
 * ZenFS with its InMemory backend, mounted as the root.
 *
 * ZenFS has one global `fs`: making a subject replaces the file system that was mounted before.
 */

import type { BenchFs, Contender } from "./contender.ts";
import { versionOf } from "./version-of.ts";

export async function loadZenfs(): Promise<Contender> {
  const { configureSingleSync, fs, InMemory, mount, umount } = await import("@zenfs/core");
  return {
    name: "zenfs",
    origin: `@zenfs/core ${versionOf("@zenfs/core")}, InMemory`,
    create() {
      configureSingleSync({ backend: InMemory });
      const dispose = (): void => {
        umount("/");
        mount("/", InMemory.create({}));
      };
      return { fs: fs as unknown as BenchFs, root: "", dispose };
    },
  };
}
