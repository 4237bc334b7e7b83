/**
 * An overlay whose upper layer can be laid below, on foliofs or on the host: what has been made until then is in a lower layer from
 * there on, and what changes it has to be copied up.
 */
import type { NodeFs } from "./subject.ts";

/** Who has the layers, and mounts overlays of them. */
export interface OverlayHost {
  readonly fs: NodeFs;
  mount(data: string, target: string): void;
  /** @throws EBUSY while anything is in use there */
  umount(target: string): void;
  /** Takes it out of the tree, though something may be in use there: that goes on. */
  detach(target: string): void;
}

export interface LayerStackSetup {
  /** A directory that is there, for the layers: no part of `target`. */
  readonly base: string;
  /** Where the overlay is mounted: a directory that is there. */
  readonly target: string;
  /** Options beside the directories. */
  readonly options?: string;
  /** How many lower layers there are at first. */
  readonly lowers: number;
  /** The name of a directory that all of these have, "" = they are empty. */
  readonly inside: string;
}

export class LayerStack {
  readonly #host: OverlayHost;
  readonly #setup: LayerStackSetup;
  #lowers: string[] = [];
  #upper = "";
  #nrMade = 0;

  constructor(host: OverlayHost, setup: LayerStackSetup) {
    this.#host = host;
    this.#setup = setup;
  }

  /** Mounts it, over lower layers as they are at first; what was there before is gone. */
  renew(): void {
    const { inside, lowers } = this.#setup;
    const { fs } = this.#host;
    this.unmount();
    this.#lowers = Array.from({ length: lowers }, () => this.#make("lower"));
    if (inside !== "") for (const lower of this.#lowers) fs.mkdirSync(`${lower}/${inside}`);
    this.#mountOver(this.#lowers[0]);
  }

  /**
   * Lays the upper layer below, under another that is empty.
   *
   * @returns false when there is nothing in it, or something is in use: then all is as it was
   */
  sink(): boolean {
    if (this.#host.fs.readdirSync(this.#upper).length === 0) return false;
    try {
      this.#host.umount(this.#setup.target);
    } catch {
      return false;
    }
    const below = this.#upper;
    this.#upper = "";
    this.#lowers.unshift(below);
    this.#mountOver(below);
    return true;
  }

  /** Takes it away, with all of its layers. */
  unmount(): void {
    const { base } = this.#setup;
    const { fs } = this.#host;
    if (this.#upper !== "") this.#host.detach(this.#setup.target);
    this.#upper = "";
    for (const name of fs.readdirSync(base)) fs.rmSync(`${base}/${name}`, { recursive: true });
  }

  /** @param shown a layer whose attributes the root of the tree is to have */
  #mountOver(shown: string): void {
    const { fs } = this.#host;
    const { options, target } = this.#setup;
    const { mode, uid, gid, atime, mtime } = fs.statSync(shown);
    const [upper, work] = [this.#make("upper"), this.#make("work")];
    fs.chownSync(upper, uid, gid);
    fs.chmodSync(upper, mode & 0o7777);
    fs.utimesSync(upper, atime, mtime);
    const data = `lowerdir=${this.#lowers.join(":")},upperdir=${upper},workdir=${work}`;
    this.#host.mount(options === undefined ? data : `${data},${options}`, target);
    this.#upper = upper;
  }

  #make(kind: string): string {
    const path = `${this.#setup.base}/${kind}-${this.#nrMade++}`;
    this.#host.fs.mkdirSync(path);
    return path;
  }
}
