package hashlist

import "hash/maphash"

// Met is a set of the flags that were read, by 64 bits each. It takes about 30 bytes of memory for a flag.
type Met struct {
	seed maphash.Seed
	keys map[uint64]struct{}
}

// NewMet returns an empty set.
func NewMet() *Met { return &Met{seed: maphash.MakeSeed(), keys: map[uint64]struct{}{}} }

// First adds a flag, and reports whether it is the first of its picture and bank. As in the library, the picture is identified
// by Key.
func (m *Met) First(f Flag) bool {
	var h maphash.Hash
	h.SetSeed(m.seed)
	_, _ = h.WriteString(f.Bank) // never fails
	_ = h.WriteByte(0)
	_, _ = h.Write(f.Key())
	sum := h.Sum64()
	if _, known := m.keys[sum]; known {
		return false
	}
	m.keys[sum] = struct{}{}
	return true
}
