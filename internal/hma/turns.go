package hma

import (
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// side is how many frequencies a PDQ hash has in each direction: bit 16·i + j is of vertical frequency i+1 and horizontal j+1.
const side = 16

// turnsOf are the queries of a PDQ hash: itself, and nearly the hashes of the picture's seven other turns and mirrors, as flags
// are stored upright and clients send one hash. A mirror negates the coefficients of the odd frequencies of a direction, and
// with a median near 0 that negates their bits. Bits of coefficients between 0 and the median, up to 20 of drawn pictures, are wrong.
func turnsOf(h pdq.Hash) []matchdb.PDQ {
	var all []matchdb.PDQ
	for turn := range 8 {
		var turned pdq.Hash
		for i := range side {
			for j := range side {
				bit := h[len(h)-1-(side*i+j)/8] >> ((side*i + j) % 8) & 1
				if (turn&1 != 0 && i%2 == 0) != (turn&2 != 0 && j%2 == 0) {
					bit ^= 1
				}
				to := side*i + j
				if turn&4 != 0 {
					to = side*j + i
				}
				turned[len(turned)-1-to/8] |= bit << (to % 8)
			}
		}
		all = append(all, matchdb.PDQ{Hash: turned, Quality: 100})
	}
	return all
}
