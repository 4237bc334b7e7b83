/**
 * What stands before the frames of a snapshot (snapshot-format.ts).
 *
 * Does not own: whether it is true (restore.ts by a checksum, src/verify by all that follows from it).
 */
import { utf8Decoder } from "../base/utf8.ts";
import type { Extent } from "./frames.ts";
import { EXTENT_BYTES, HEADER_BYTES, type SnapshotMeta, viewOf } from "./snapshot-format.ts";

/** What stands before the frames. */
export interface Head {
  /** First frame that none of them is at or above. */
  end: number;
  extents: Extent[];
  meta: SnapshotMeta;
  /** Offset of the frames in the bytes. */
  framesAt: number;
}

/** What stands before the frames. Precondition: they are those of a snapshot. */
export function readHead(bytes: Uint8Array): Head {
  const view = viewOf(bytes);
  const nrExtents = view.getUint32(28, true);
  const metaEnd = HEADER_BYTES + view.getUint32(32, true);
  return {
    end: view.getUint32(24, true),
    extents: readExtents(view, metaEnd, nrExtents),
    meta: JSON.parse(utf8Decoder.decode(bytes.subarray(HEADER_BYTES, metaEnd))),
    framesAt: metaEnd + nrExtents * EXTENT_BYTES,
  };
}

function readExtents(view: DataView, start: number, nr: number): Extent[] {
  return Array.from({ length: nr }, (_, i) => {
    const at = start + i * EXTENT_BYTES;
    return {
      pfn: view.getUint32(at, true),
      nr: view.getUint32(at + 4, true),
      isData: view.getUint32(at + 8, true) === 1,
    };
  });
}
