#include "thin.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// A code has up to 16 bits. A DC value after it has up to 11 bits, an AC value up to 10 (ITU-T T.81, Annexes C and F, for
// 8-bit samples). Tables may name up to 15 bits; such a file is left to libjpeg, because skip relies on the bits of one fill.
#define LONGEST 16
#define LONGEST_DC 11
#define LONGEST_AC 10
#define BLOCK_BYTES 248 // more than the longest block: 27 bits and 63 times 26 bits
#define AHEAD 16        // bytes that the reader may read ahead

// Bits of a lookup for one symbol, and for all symbols that begin in them.
#define ONE_BITS 9
#define MANY_BITS 12

// An entry has a number of bits, and from ADVANCE on the number of coefficients that they cover; ENDS is added at the end of
// a block. NONE has no bits.
#define ADVANCE 8
#define ENDS 128
#define NONE (255 << ADVANCE)

// A Huffman table: the entries of its codes in order, and for each length the code after the last one.
typedef struct {
	int built;
	uint16_t entries[256];
	int first[LONGEST + 1], end[LONGEST + 1]; // first: added to a code, it gives the index of its entry
	uint64_t end_of_block;                    // the code in the highest bits
	int end_of_block_length;
	uint16_t one[1 << ONE_BITS]; // 0 where the code is longer
	uint16_t many[1 << MANY_BITS];
} table;

// Returns the entry of a code of the length.
static unsigned entry_of(int symbol, int length, int is_ac)
{
	int run = symbol >> 4, size = symbol & 15;

	if (!is_ac)
		return run || size > LONGEST_DC ? NONE : (unsigned) (length + size);
	if (symbol == 0)
		return (unsigned) (length | ENDS << ADVANCE);
	if ((size == 0 && run != 15) || size > LONGEST_AC)
		return NONE;
	return (unsigned) (length + size) | (unsigned) (run + 1) << ADVANCE;
}

// Returns the length of the code at the beginning of next, more than LONGEST if there is none.
static int code_length(const table *t, uint64_t next)
{
	int length = 1;

	while (length <= LONGEST && (int) (next >> (64 - length)) >= t->end[length])
		length++;
	return length;
}

// libjpeg has refused invalid tables: codes that do not fit into their length, or more than 256 codes.
static void find_one(table *t, const JHUFF_TBL *from, int is_ac)
{
	int code = 0, n = 0;

	for (int length = 1; length <= LONGEST; length++, code <<= 1) {
		t->first[length] = n - code;
		for (int i = 0; i < from->bits[length]; i++, code++, n++) {
			t->entries[n] = (uint16_t) entry_of(from->huffval[n], length, is_ac);
			if (is_ac && from->huffval[n] == 0) {
				t->end_of_block = (uint64_t) code << (64 - length);
				t->end_of_block_length = length;
			}
			if (length <= ONE_BITS)
				for (int rest = 0; rest < 1 << (ONE_BITS - length); rest++)
					t->one[(code << (ONE_BITS - length)) + rest] = t->entries[n];
		}
		t->end[length] = code;
	}
}

// Only the number of a value's bits after its code matters, so that they may lie beyond the lookup.
static void find_many(table *t)
{
	for (uint64_t i = 0; i < 1 << MANY_BITS; i++) {
		unsigned many = 0;
		while (many < ENDS << ADVANCE) {
			uint64_t next = i << (64 - MANY_BITS) << (many & 63);
			int length = code_length(t, next);
			if ((many & 63) + (unsigned) length > MANY_BITS)
				break;
			unsigned entry = t->entries[t->first[length] + (int) (next >> (64 - length))];
			if (entry == NONE || (many >> ADVANCE) + (entry >> ADVANCE & ~ENDS) > 63)
				break;
			many += entry;
		}
		t->many[i] = (uint16_t) (many ? many : NONE);
	}
}

static const table *build(table *t, const JHUFF_TBL *from, int is_ac)
{
	if (!t->built) {
		find_one(t, from, is_ac);
		if (is_ac)
			find_many(t);
		t->built = 1;
	}
	return t;
}

// Returns the entry of the symbol at the beginning of next.
static inline unsigned look_up(const table *t, uint64_t next)
{
	unsigned entry = t->one[next >> (64 - ONE_BITS)];

	if (entry)
		return entry;
	int length = code_length(t, next);
	return length > LONGEST ? NONE : t->entries[t->first[length] + (int) (next >> (64 - length))];
}

typedef struct {
	const uint8_t *from;
	uint64_t next; // bits, the first in the highest
	unsigned count;
} reader;

static inline uint64_t load(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return be64toh(word);
}

// Fills next with at least 56 bits. Bits beyond the count are already correct, and stay.
static inline void fill(reader *r)
{
	r->next |= load(r->from) >> r->count;
	r->from += (63 - r->count) / 8;
	r->count |= 56;
}

static inline void take(reader *r, unsigned entry)
{
	r->next <<= entry & 63;
	r->count -= entry & 63;
}

// Whether a block ends with the entry: by its code, or because it is full.
static inline int is_end(unsigned k)
{
	return k == 64 || k / 64 == ENDS / 64;
}

// Skips the AC coefficients of a block. Returns -1 for an invalid code.
static inline int skip(const table *t, reader *r)
{
	unsigned k = 1, entry, then;

	// A DC coefficient takes up to 27 of 56 bits, a lookup of several symbols up to 22: the rest is enough for a lookup.
	for (int enough = 1;; enough = !enough) {
		if (!enough)
			fill(r);
		entry = t->many[r->next >> (64 - MANY_BITS)];
		then = k + (entry >> ADVANCE);
		if (then > 63) {
			if (is_end(then))
				break;
			// The symbols reach into the next block, or the code is longer than the lookup.
			fill(r);
			entry = look_up(t, r->next);
			then = k + (entry >> ADVANCE);
			if (then > 63)
				break;
			enough = 1;
		}
		take(r, entry);
		k = then;
	}
	take(r, entry);
	return is_end(then) ? 0 : -1;
}

typedef struct {
	uint8_t *out;
	uint64_t bits; // less than a byte, the first in the highest
	unsigned count;
} writer;

// Writes the n highest bits, up to 56; the lower bits must be 0. It may write up to 8 bytes beyond them.
static inline void put(writer *w, uint64_t bits, unsigned n)
{
	const uint64_t low = 0x0101010101010101, high = low << 7;

	bits = w->bits | bits >> w->count;
	n += w->count;
	if ((~bits - low) & bits & high) { // a byte is 0xff, which needs a zero after it
		for (unsigned i = 0; i < n / 8; i++) {
			*w->out++ = (uint8_t) (bits >> (56 - 8 * i));
			if (w->out[-1] == 0xff)
				*w->out++ = 0;
		}
	} else {
		uint64_t word = htobe64(bits);
		memcpy(w->out, &word, sizeof word);
		w->out += n / 8;
	}
	w->bits = bits << n / 8 * 8;
	w->count = n % 8;
}

// Returns the n highest bits, up to 63, of bits.
static inline uint64_t highest(uint64_t bits, unsigned n)
{
	return bits & ~(~(uint64_t) 0 >> n);
}

// Copies the bits [from, to).
static void copy(writer *w, const uint8_t *bits, size_t from, size_t to)
{
	while (from < to) {
		unsigned n = to - from < 56 ? (unsigned) (to - from) : 56;
		put(w, highest(load(bits + from / 8) << from % 8, n), n);
		from += n;
	}
}

// Ends an interval (ITU-T T.81, F.1.2.3).
static void mark(writer *w, int marker)
{
	unsigned rest = (8 - w->count) % 8;

	put(w, highest(~(uint64_t) 0, rest), rest);
	*w->out++ = 0xff;
	*w->out++ = (uint8_t) marker;
}

typedef struct {
	const table *dc, *ac;
	int only_mean;
} block;

// Copies the MCUs, which must be all that the bits hold. Writes beyond last at most one block with its zeros, and a marker.
static int thin(writer *w, const uint8_t *last, const block *blocks, int per_mcu, size_t mcus,
	const uint8_t *bits, size_t count)
{
	reader r = { .from = bits };
	size_t at = 0, end;

	for (; mcus; mcus--)
		for (const block *b = blocks; b < blocks + per_mcu; b++, at = end) {
			fill(&r);
			uint64_t next = r.next;
			unsigned dc = look_up(b->dc, next);
			if (dc == NONE)
				return -1;
			take(&r, dc);
			if (skip(b->ac, &r))
				return -1;
			end = (size_t) (r.from - bits) * 8 - r.count;
			if (end > count || w->out > last)
				return -1;
			if (b->only_mean)
				put(w, highest(next, dc) | b->ac->end_of_block >> dc, dc + (unsigned) b->ac->end_of_block_length);
			else
				copy(w, bits, at, end);
		}
	return count - at < 8 ? 0 : -1;
}

// Copies coded data up to the next marker, without the zeros after 0xff, and appends zeros for the reader to run into.
// Returns the start of the marker, or NULL.
static const uint8_t *unstuff(const uint8_t *from, const uint8_t *end, uint8_t *to, size_t *n)
{
	uint8_t *begin = to;

	for (const uint8_t *ff; (ff = memchr(from, 0xff, end - from)) && end - ff > 1; from = ff + 2) {
		memcpy(to, from, ff - from);
		to += ff - from;
		if (ff[1]) {
			memset(to, 0, BLOCK_BYTES + AHEAD);
			*n = to - begin;
			return ff;
		}
		*to++ = 0xff;
	}
	return NULL;
}

// Whether the inverse transform uses more of a block than its mean.
static int needs_ac(const jpeg_component_info *component)
{
	return BLOCK_WIDTH(component) > 1 || BLOCK_HEIGHT(component) > 1;
}

// Lists how the blocks of an MCU are coded. Returns -1 if no block can be shortened.
static int plan(j_decompress_ptr info, table dc[NUM_HUFF_TBLS], table ac[NUM_HUFF_TBLS], block *blocks)
{
	int means = 0;

	if (info->progressive_mode || info->arith_code || jpeg_has_multiple_scans(info) || info->data_precision != 8 ||
		info->Ss != 0 || info->Se != DCTSIZE2 - 1 || info->Ah || info->Al || info->unread_marker)
		return -1;
	for (int i = 0; i < info->blocks_in_MCU; i++) {
		const jpeg_component_info *from = info->cur_comp_info[info->MCU_membership[i]];
		blocks[i].dc = build(&dc[from->dc_tbl_no], info->dc_huff_tbl_ptrs[from->dc_tbl_no], 0);
		blocks[i].ac = build(&ac[from->ac_tbl_no], info->ac_huff_tbl_ptrs[from->ac_tbl_no], 1);
		blocks[i].only_mean = !needs_ac(from) && blocks[i].ac->end_of_block_length;
		means += blocks[i].only_mean;
	}
	return means ? 0 : -1;
}

unsigned char *imaging_thin(j_decompress_ptr info, size_t *len)
{
	const uint8_t *in = info->src->next_input_byte, *end = in + info->src->bytes_in_buffer;
	size_t room = info->src->bytes_in_buffer, mcus = (size_t) info->MCUs_per_row * info->MCU_rows_in_scan;
	size_t interval = info->restart_interval ? info->restart_interval : mcus;
	block blocks[D_MAX_BLOCKS_IN_MCU];
	table *tables = calloc(2 * NUM_HUFF_TBLS, sizeof(table));
	uint8_t *bits = malloc(room + BLOCK_BYTES + AHEAD);
	uint8_t *out = malloc(room + 2 * BLOCK_BYTES + 2 * sizeof(uint64_t));
	writer w = { .out = out };
	int whole = 0;

	if (!tables || !bits || !out || plan(info, tables, tables + NUM_HUFF_TBLS, blocks))
		goto done;
	for (int restart = JPEG_RST0; !whole; restart = JPEG_RST0 + (restart + 1) % 8) {
		size_t n, here = mcus < interval ? mcus : interval;
		in = unstuff(in, end, bits, &n);
		int marker = here < mcus ? restart : JPEG_EOI;
		if (!in || in[1] != marker || thin(&w, out + room, blocks, info->blocks_in_MCU, here, bits, n * 8))
			goto done;
		mark(&w, marker);
		in += 2;
		mcus -= here;
		whole = !mcus;
	}
	*len = w.out - out;
done:
	free(tables);
	free(bits);
	if (!whole) {
		free(out);
		return NULL;
	}
	return out;
}
