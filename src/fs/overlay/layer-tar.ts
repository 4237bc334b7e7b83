/**
 * Layers that are saved and loaded: the upper layer alone, as a tar.
 *
 * What foliofs saves for itself is a tar, too, with more in it: holes, when files were changed (ctime), and what copies of lower files have
 * been copied from. It begins with records that say so:
 *
 *   FOLIOFS.layer=1           version of the form
 *   FOLIOFS.checksum=...      CRC-32 of all that comes behind these two records, 8 hexadecimal digits
 *   FOLIOFS.lower=...         in a header of its own: what the lower directories were. Over others, numbers that copies had mean nothing
 *
 * Does not own: what is in the tar (tar-upper.ts, untar-upper.ts), its form (fs/tar/).
 */
import { crc32 } from "../../base/crc32.ts";
import type { SuperBlockHandle } from "../../base/handles.ts";
import { latin1Of } from "../../base/latin1.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { umount } from "../../vfs/mount.ts";
import { SuperBlock } from "../../vfs/super-block.ts";
import { STAT_BIRTHTIME_NSEC, STAT_BIRTHTIME_SEC, STAT_INO } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import { SUPER_BLOCK_DEV } from "../../wasm/layout.ts";
import { TarError } from "../tar/entry.ts";
import { type PaxRecord, paxText } from "../tar/pax.ts";
import { TarReader } from "../tar/reader.ts";
import { TarWriter } from "../tar/writer.ts";
import type { LayerFile } from "./copy-data.ts";
import { describe } from "./diff-entry.ts";
import type { DiffFailure } from "./diff-tree.ts";
import { copyAttributes } from "./inode.ts";
import { compareLayer, type LayerRequest, type MountedLayer, mountLayer } from "./layer-mount.ts";
import { inodeOf } from "./layer-names.ts";
import { type Layer, overlayOf } from "./layers.ts";
import { tarUpper } from "./tar-upper.ts";
import { ImageUntar } from "./untar-image.ts";
import { UpperUntar } from "./untar-upper.ts";

const VERSION = "1";
const LAYER_KEY = "FOLIOFS.layer";
const CHECKSUM_KEY = "FOLIOFS.checksum";
const LOWER_KEY = "FOLIOFS.lower";

function layersOf(kernel: Kernel, sb: SuperBlockHandle): Layer[] {
  return overlayOf(new SuperBlock(kernel, sb)).layers as Layer[];
}

const UNKNOWN = "?";

/** What tells the lower directories of a layer from others, as far as numbers of inodes go; with UNKNOWN in it where a store does not say. */
function identityOf(kernel: Kernel, sb: SuperBlockHandle): string {
  const [, ...lowers] = layersOf(kernel, sb);
  const identities = lowers.map((lower) => {
    const stat = describe(kernel, lower.root);
    const dev = kernel.core.u32[(lower.sb << 3) + SUPER_BLOCK_DEV];
    return typeof stat === "number"
      ? UNKNOWN
      : [dev, stat[STAT_INO], stat[STAT_BIRTHTIME_SEC], stat[STAT_BIRTHTIME_NSEC]].join(":");
  });
  return identities.join();
}

function tarOf(kernel: Kernel, { sb }: MountedLayer, isOwn: boolean): Uint8Array | DiffFailure {
  const [upper] = layersOf(kernel, sb);
  const writer = new TarWriter({ isSparse: isOwn });
  const failure = tarUpper(new SuperBlock(kernel, sb), { mnt: upper.mnt, dentry: upper.root }, writer, isOwn);
  return failure || writer.finish();
}

/** The upper layer of a layer, for whoever has a tar. @returns what failed @throws RangeError for what no array holds */
export function saveLayerTar({ kernel }: Task, layer: MountedLayer): Uint8Array | DiffFailure {
  return tarOf(kernel, layer, false);
}

/** As saveLayerTar(), for foliofs. */
export function saveLayer({ kernel }: Task, layer: MountedLayer): Uint8Array | DiffFailure {
  const tar = tarOf(kernel, layer, true);
  if (!(tar instanceof Uint8Array)) return tar;
  const whole = headed([paxText(LOWER_KEY, identityOf(kernel, layer.sb))], tar);
  return headed([paxText(LAYER_KEY, VERSION), paxText(CHECKSUM_KEY, checksumOf(whole))], whole);
}

/** An archive with records before it. */
function headed(records: readonly PaxRecord[], tar: Uint8Array): Uint8Array {
  const writer = new TarWriter({ isSparse: false });
  writer.addGlobal(records);
  return writer.finish(tar);
}

function checksumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

/** Does an archive say that foliofs has saved it? Then it is checked. @throws TarError for a damaged one, and one of another version */
function readSaved(reader: TarReader, bytes: Uint8Array): boolean {
  const behind = reader.readGlobal();
  const version = reader.global.get(LAYER_KEY);
  if (version === undefined) return false;
  if (latin1Of(version) !== VERSION) throw new TarError(`the layer is of another version: ${latin1Of(version)}`);
  const sum = reader.global.get(CHECKSUM_KEY);
  if (sum === undefined || latin1Of(sum) !== checksumOf(bytes.subarray(behind)))
    throw new TarError("the layer has been damaged: its checksum is wrong");
  reader.readGlobal();
  return true;
}

/** What an archive is: what saveLayer() gives, an upper layer, an image layer. */
export type LayerForm = "saved" | "overlay" | "oci";

/**
 * Mounts a layer whose upper layer is what a tar says.
 *
 * @returns as mountLayer(); errors of UpperUntar: then there is none @throws TarError, and there is none
 */
export function loadLayer(
  task: Task,
  request: LayerRequest,
  bytes: Uint8Array,
  form: LayerForm,
): MountedLayer | DiffFailure {
  const { kernel } = task;
  const reader = new TarReader(bytes);
  const isSaved = form !== "oci" && readSaved(reader, bytes);
  if (form === "saved" && !isSaved) throw new TarError("the bytes are of no saved layer");
  const made = mountLayer(task, request);
  if (typeof made === "number") return { rc: made, path: "" };
  let failure: 0 | DiffFailure | undefined;
  try {
    failure = form === "oci" ? loadImage(task, request, made, reader) : loadUpper(kernel, made, reader, isSaved);
    copyAttributes(kernel, inodeOf(kernel.core, new SuperBlock(kernel, made.sb).root));
  } finally {
    if (failure !== 0) umount(task, request.target);
  }
  return failure || made;
}

function upperOf(kernel: Kernel, { sb }: MountedLayer): LayerFile {
  const [{ mnt, root }] = layersOf(kernel, sb);
  return { mnt, dentry: root };
}

function loadUpper(kernel: Kernel, made: MountedLayer, reader: TarReader, isSaved: boolean): 0 | DiffFailure {
  const lower = latin1Of(reader.global.get(LOWER_KEY) ?? new Uint8Array(0));
  const keepsOrigins = isSaved && lower === identityOf(kernel, made.sb) && !lower.includes(UNKNOWN);
  return unpack(reader, new UpperUntar(kernel, upperOf(kernel, made), { isSaved, keepsOrigins }));
}

function loadImage(task: Task, request: LayerRequest, made: MountedLayer, reader: TarReader): 0 | DiffFailure {
  const { kernel } = task;
  return compareLayer(task, made, request.target, (_task, below) =>
    unpack(reader, new ImageUntar(kernel, upperOf(kernel, made), below.dentry)),
  );
}

function unpack(reader: TarReader, untar: UpperUntar | ImageUntar): 0 | DiffFailure {
  try {
    for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
      const failure = untar.add(entry);
      if (failure) return failure;
    }
    return untar.finish();
  } finally {
    untar.letGo();
  }
}
