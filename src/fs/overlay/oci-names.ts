/**
 * Names in the tar of an image layer that say what is not there any more.
 *
 *   dir/.wh.name        dir/name of the layers below is gone
 *   dir/.wh..wh..opq    so is all that is in dir
 *
 * @see OCI image specification, layer.md, "Whiteouts"
 */

export const WHITEOUT = ".wh.";
/** Names for programs alone; the opaque one is all that is of use here. */
export const META = ".wh..wh.";
export const OPAQUE_MARK = ".wh..wh..opq";
