// Leaving out of a JPEG's coded data what a decoder that shrinks it to an eighth does not look at.
#ifndef MODERATOR_IMAGING_THIN_H
#define MODERATOR_IMAGING_THIN_H

#include <stdio.h>

#include <jpeglib.h>

// What the inverse transform makes of a block of a component, in samples.
#if JPEG_LIB_VERSION >= 70
#define BLOCK_WIDTH(component) ((component)->DCT_h_scaled_size)
#define BLOCK_HEIGHT(component) ((component)->DCT_v_scaled_size)
#else
#define BLOCK_WIDTH(component) ((component)->DCT_scaled_size)
#define BLOCK_HEIGHT(component) ((component)->DCT_scaled_size)
#endif

// Copies the scan that info is about to decode (after jpeg_start_decompress, its whole file in memory) to memory that
// the caller frees, up to the end-of-image marker. Where info makes one pixel of a block, only the block's mean is
// copied: the pixels stay the same, and most of the decoding is gone. NULL for a scan that is in any way unusual
// or broken; info is left as it is.
unsigned char *imaging_thin(j_decompress_ptr info, size_t *len);

#endif
