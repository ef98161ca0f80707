// Removing the coefficients of a JPEG that a decode to an eighth does not use.
#ifndef MODERATOR_IMAGING_THIN_H
#define MODERATOR_IMAGING_THIN_H

#include <stdio.h>

#include <jpeglib.h>

// Samples that the inverse transform makes of a component's block.
#if JPEG_LIB_VERSION >= 70
#define BLOCK_WIDTH(component) ((component)->DCT_h_scaled_size)
#define BLOCK_HEIGHT(component) ((component)->DCT_v_scaled_size)
#else
#define BLOCK_WIDTH(component) ((component)->DCT_scaled_size)
#define BLOCK_HEIGHT(component) ((component)->DCT_scaled_size)
#endif

// Copies the scan that info is about to decode (after jpeg_start_decompress, with the whole file in memory) up to the
// end-of-image marker, to memory that the caller frees. If info makes one pixel of a block, it copies only the block's mean:
// the pixels stay the same, and most of the decoding is saved. Returns NULL for an unusual or broken scan. info is unchanged.
unsigned char *imaging_thin(j_decompress_ptr info, size_t *len);

#endif
