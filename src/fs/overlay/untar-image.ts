/**
 * An upper layer from the tar of an image layer: its whiteouts become those of the overlay. They are about lower layers alone: what the
 * same tar has beside them stays, wherever it stands.
 *
 * A directory that entries lie below, and that no entry is of, is as it is in the lower layers.
 *
 * @see OCI image specification, layer.md, "Applying Changesets"
 */
import type { DentryHandle } from "../../base/handles.ts";
import { latin1Bytes } from "../../base/latin1.ts";
import { S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { STAT_MODE } from "../../vfs/syscalls.ts";
import { type TarEntry, TarError } from "../tar/entry.ts";
import type { LayerFile } from "./copy-data.ts";
import { describe, findName } from "./diff-entry.ts";
import type { DiffFailure } from "./diff-tree.ts";
import { inodeOf, isDirectory } from "./layer-names.ts";
import { META, OPAQUE_MARK, WHITEOUT } from "./oci-names.ts";
import { attributesOf, xattrsOf } from "./tar-upper.ts";
import { type ImpliedDirectory, type Names, namesOf, UpperUntar } from "./untar-upper.ts";

/** Unpacks entries, as UpperUntar does. */
export class ImageUntar {
  readonly #kernel: Kernel;
  readonly #below: DentryHandle;
  readonly #untar: UpperUntar;

  /** @param root an empty directory of the upper layer @param below what the lower ones show together */
  constructor(kernel: Kernel, root: LayerFile, below: DentryHandle) {
    this.#kernel = kernel;
    this.#below = below;
    this.#untar = new UpperUntar(kernel, root, { isShown: true, implied: (names) => this.#implied(names) });
  }

  /** @returns as UpperUntar.add(); -EPERM for a device 0:0 @throws TarError */
  add(entry: TarEntry): 0 | DiffFailure {
    const names = namesOf(entry.name);
    const name = names.at(-1) ?? "";
    const rc = name.startsWith(WHITEOUT) ? this.#hide(names, name) : this.#untar.put(names, entry);
    return rc < 0 ? { rc, path: entry.name } : 0;
  }

  #hide(names: Names, name: string): number {
    const dir = names.slice(0, -1);
    if (name === OPAQUE_MARK) return this.#untar.hideAll(dir);
    if (name.startsWith(META)) return 0;
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === "" || hidden === "." || hidden === "..") throw new TarError("the tar has a whiteout of no name");
    return this.#untar.hide([...dir, hidden]);
  }

  /** What the lower layers have in the place of a directory. */
  #implied(names: Names): ImpliedDirectory | undefined | number {
    const { core } = this.#kernel;
    let dir = this.#below;
    core.x.dget(dir);
    for (const name of names) {
      const next = isDirectory(core, inodeOf(core, dir))
        ? findName(this.#kernel, dir, latin1Bytes(name))
        : (0 as DentryHandle);
      core.x.dput(dir);
      if (next <= 0) return next || undefined;
      dir = next;
    }
    const found = this.#describe(dir);
    core.x.dput(dir);
    return found;
  }

  #describe(dir: DentryHandle): ImpliedDirectory | undefined | number {
    const stat = describe(this.#kernel, dir);
    if (typeof stat === "number") return stat;
    if ((stat[STAT_MODE] & S_IFMT) !== S_IFDIR) return undefined;
    const xattrs = xattrsOf(this.#kernel, inodeOf(this.#kernel.core, dir), () => true);
    return typeof xattrs === "number" ? xattrs : { ...attributesOf(stat), xattrs };
  }

  finish(): 0 | DiffFailure {
    return this.#untar.finish();
  }

  letGo(): void {
    this.#untar.letGo();
  }
}
